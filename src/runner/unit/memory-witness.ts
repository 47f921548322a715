/** With this it says so. */
const SHORT = 9;

/**
 * Looks whether the kernel has killed a process of this unit for lack of memory: in cgroup v2, and in the memory controller of v1, cgroups(7). systemd tells that
 * of a whole unit only (OOMPolicy=stop), and of v1 not at all, and it removes the cgroup as soon as nobody is left in it. So somebody in it has to look.
 */
const SCRIPT = `cut -d: -f3 /proc/self/cgroup | while read -r c; do grep -qs "^oom_kill [1-9]" "/sys/fs/cgroup$c/memory.events" "/sys/fs/cgroup/memory$c/memory.oom_control" && exit ${SHORT}; done`;

/**
 * Properties of a unit that has a limit to its memory: when it has failed, and before it is gone, this is run in it, outside of its sandbox and whatever
 * comes of it: ExecStopPost= of systemd.service(5).
 */
export function memoryWitness(properties: readonly string[]): readonly string[] {
  const limited = properties.some((each) => /^Memory(?:Max|High|Limit)=/.test(each));
  // A dollar is a variable for systemd.
  return limited ? [`ExecStopPost=-+/bin/sh -c '${SCRIPT.replaceAll('$', '$$$$')}'`] : [];
}

/** What it has said. @param command ExecStopPost= as systemctl(1) shows it, with how it has ended */
export function sawShortage(command: string): boolean {
  return command.includes(` code=exited ; status=${SHORT} `);
}
