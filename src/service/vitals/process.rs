//! What the kernel says of this process. Reading it touches no disk.

use std::fs;

/// Numbers of this process; `None` where the kernel does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Seconds of CPU used, ours and the kernel's for us.
    pub cpu_seconds: Option<f64>,
    /// Bytes of memory in use.
    pub resident_bytes: Option<u64>,
    /// Bytes of address space.
    pub virtual_bytes: Option<u64>,
    /// The most memory it ever used.
    pub peak_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Open descriptors.
    pub open_fds: Option<u64>,
    /// How many it may open.
    pub max_fds: Option<u64>,
}

/// Ticks in a second in `/proc`: the same on every Linux that Rust's standard library runs on.
const TICKS: f64 = 100.0;

impl Process {
    /// As it is now.
    pub fn now() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}"));
        let mut process = Self::parse(
            &read("status").unwrap_or_default(),
            &read("stat").unwrap_or_default(),
            &read("limits").unwrap_or_default(),
        );
        // One of them is the directory that is being read.
        let open = fs::read_dir("/proc/self/fd").map(|all| all.count().saturating_sub(1) as u64);
        process.open_fds = open.ok();
        process
    }

    fn parse(status: &str, stat: &str, limits: &str) -> Self {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let bytes = |name| field(name).and_then(|kib| kib.checked_mul(1024));
        // The name in brackets may hold anything; the 14th and the 15th field are utime and stime.
        let ticks = || {
            let rest = stat.rsplit_once(')')?.1;
            let mut fields = rest.split_whitespace().skip(11);
            let user: u32 = fields.next()?.parse().ok()?;
            let system: u32 = fields.next()?.parse().ok()?;
            Some(f64::from(user) + f64::from(system))
        };
        let max = || {
            let line = limits
                .lines()
                .find_map(|line| line.strip_prefix("Max open files"))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Self {
            cpu_seconds: ticks().map(|ticks| ticks / TICKS),
            resident_bytes: bytes("VmRSS:"),
            virtual_bytes: bytes("VmSize:"),
            peak_bytes: bytes("VmHWM:"),
            threads: field("Threads:"),
            open_fds: None,
            max_fds: max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_understood() {
        let status =
            "Name:\ta) b\nVmHWM:\t  2000 kB\nVmSize:\t  9000 kB\nVmRSS:\t  1000 kB\nThreads:\t7\n";
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20";
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n";
        let process = Process::parse(status, stat, limits);
        assert_eq!(process.cpu_seconds, Some(4.0));
        assert_eq!(process.resident_bytes, Some(1_024_000));
        assert_eq!(process.virtual_bytes, Some(9_216_000));
        assert_eq!(process.peak_bytes, Some(2_048_000));
        assert_eq!((process.threads, process.max_fds), (Some(7), Some(1024)));
        assert_eq!(Process::parse("", "", ""), Process::default());
        let now = Process::now();
        assert!(
            now.resident_bytes > Some(100_000) && now.open_fds > Some(2),
            "{now:?}"
        );
        assert!(
            now.cpu_seconds.is_some() && now.max_fds >= now.open_fds,
            "{now:?}"
        );
    }
}
