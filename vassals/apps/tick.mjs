// Prints a line every ten seconds until it is told to end.
const word = process.argv[2];
let count = 0;

const say = () => console.log(`${word} ${(count += 1)}`);
say();
setInterval(say, 10_000);
