/**
 * What a unit executes, to become the program of its instance. systemd before 253 hands no descriptors to a service but its standard ones, so this one
 * takes them, the command line and the environment from its standard input, a socket of the emperor: recvmsg(2), SCM_RIGHTS of unix(7). So nothing of
 * them is told to who asks systemd of the unit, either. perl is there on every Debian (perl-base), and has all calls by their numbers.
 *
 * It gets: the descriptors from 3 on, then a file with the rest, then a socket on which it tells that it is there, by its pid and a line feed, and the number of the error if the
 * program cannot be executed; it is closed when it is. Between the two it waits for a byte: the emperor has to know who it is before the program can say anything. If the
 * emperor ends meanwhile, it ends as well. The call is execve(2) itself: execvp(3) would give to a shell what is no program.
 */
const SCRIPT = `
my ($recvmsg, $execve) = map { $_ + 0 } @ARGV;
my ($d, $c) = ('x' x 8, 'x' x 2048);
my $v = pack 'PQ', $d, 1;
my $m = pack 'QQPQPQQ', 0, 0, $v, 1, $c, length $c, 0;
syscall($recvmsg, 0, $m, 0) == 1 or exit 0;
my @f = unpack 'i*', substr $c, 16, unpack('Q', $c) - 16;
open my $p, '<&=', $f[-2]; open my $o, '<&=', $f[-1]; open my $s, '>&', $o; close $o;
syswrite $s, "$$\\n";
seek $p, 0, 0;
my ($file, $fds, $n, @a) = do { local $/; split /\\0/, <$p>, -1 };
close $p;
delete @ENV{qw(NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID LISTEN_FDS LISTEN_FDNAMES LISTEN_PID JOURNAL_STREAM)};
for (splice @a, 0, $n) { my ($k, $v) = split /=/, $_, 2; $ENV{$k} = $v }
$ENV{LISTEN_PID} = $$ if $fds;
sysread STDIN, my $go, 1 or exit 0;
open STDIN, '<', '/dev/null'; open STDERR, '>&', \\*STDOUT;
$SIG{FPE} = 'DEFAULT';
my @e = map { "$_=$ENV{$_}" } keys %ENV;
syscall $execve, $file, pack('p*', @a, undef), pack('p*', @e, undef);
syswrite $s, $! + 0; exit 203;
`;

/** Numbers of recvmsg(2) and execve(2) on each architecture: syscalls(2). */
const CALLS: Readonly<Partial<Record<NodeJS.Architecture, readonly [recvmsg: number, execve: number]>>> = {
  x64: [47, 59], arm64: [212, 221], riscv64: [212, 221], loong64: [212, 221], ppc64: [342, 11], s390x: [372, 11],
};

/** The command line of the unit. null: the numbers of the calls are not known on this architecture. */
export function launcherCommand(perl: string, architecture: NodeJS.Architecture): readonly string[] | null {
  const calls = CALLS[architecture];
  // systemd takes a dollar for a variable: systemd.service(5), "Command lines".
  return calls === undefined ? null : [perl, '-e', SCRIPT.trim().replaceAll('$', '$$$$'), ...calls.map(String)];
}

/** What it is to execute. */
export interface Errand {
  /** Path of the program. */
  readonly file: string;
  readonly argv: readonly string[];
  /** Goes over what systemd gives to the unit. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it is to set LISTEN_PID, sd_listen_fds(3). */
  readonly tellsPid: boolean;
}

/** The file that the launcher is given. null: there is a NUL in it that would end a word too early. */
export function errandText({ file, argv, environment, tellsPid }: Errand): string | null {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const words = [file, tellsPid ? '1' : '', String(variables.length), ...variables, ...argv];
  return words.some((word) => word.includes('\0')) ? null : words.join('\0');
}
