//! What another process has cost so far, as Linux counts it (proc_pid_stat(5), proc_pid_status(5)).

use std::time::Duration;

/// A clock tick of `/proc/PID/stat`: 100 a second on every architecture that Linux has.
const TICK: Duration = Duration::from_millis(10);

/// The processor time of a process, its own and the kernel's for it. A process that has ended still has it until it is
/// waited for.
pub fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().unwrap());
    TICK * ticks.sum::<u32>()
}

/// The most memory that a running process has held, in octets.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().unwrap() * 1_024)
}
