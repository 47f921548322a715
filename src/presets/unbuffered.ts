/** What Python prints shows up in the log at once: python3(1), PYTHONUNBUFFERED. */
export const UNBUFFERED: Readonly<Record<string, string>> = { PYTHONUNBUFFERED: '1' };
