import { readFileSync } from 'node:fs';

/** The resident memory of a process now, in MiB. */
export function residentMiB(pid: number): number {
  return statusField(pid, 'VmRSS');
}

/** The most resident memory that a process has had, in MiB. */
export function peakMemoryMiB(pid: number): number {
  return statusField(pid, 'VmHWM');
}

/** Source: proc_pid_status(5). */
function statusField(pid: number, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}
