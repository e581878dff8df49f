// SPDX-License-Identifier: GPL-2.0

//! The flags of a request.

use super::kernel::Version;

/// The flags of a request that decide which memory it may use, and what was tried for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are named as the kernel names them")]
pub struct Flags {
    pub dma: bool,
    pub dma32: bool,
    pub highmem: bool,
    pub movable: bool,
    pub high: bool,
    pub atomic: bool,
    pub direct_reclaim: bool,
    pub kswapd_reclaim: bool,
    pub io: bool,
    pub fs: bool,
    pub retry_mayfail: bool,
    pub noretry: bool,
    pub nofail: bool,
    pub memalloc: bool,
    pub nomemalloc: bool,
    pub hardwall: bool,
    pub thisnode: bool,
    pub account: bool,
    pub cma: bool,
}

/// The flags as the log has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// As a number.
    pub number: u64,
    /// As names, such as `GFP_ATOMIC|__GFP_COMP`. Kernels before 4.7 do not print them, and they
    /// can be cut off.
    pub names: Option<String>,
    /// What the flags mean, if that can be known.
    pub flags: Option<Flags>,
}

/// Reads the number and the names that begin a text, such as `0xa20(GFP_ATOMIC), nodemask=…`.
pub fn read(text: &str) -> Option<Mode> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let length = digits
        .bytes()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let number = u64::from_str_radix(&digits[..length], 16).ok()?;
    let names = digits[length..]
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map(|(names, _)| names.to_owned());

    Some(Mode {
        number,
        flags: names.as_deref().and_then(of_names),
        names,
    })
}

/// Returns what the names mean, unless one is unknown because it was damaged.
fn of_names(names: &str) -> Option<Flags> {
    let mut flags = Flags::default();
    for name in names.split('|') {
        let flags = &mut flags;
        match name.trim() {
            "GFP_ATOMIC" => {
                (flags.atomic, flags.high, flags.kswapd_reclaim) = (true, true, true);
            }
            "GFP_NOWAIT" => flags.kswapd_reclaim = true,
            "GFP_KERNEL" | "GFP_TEMPORARY" => kernel(flags),
            "GFP_KERNEL_ACCOUNT" => {
                kernel(flags);
                flags.account = true;
            }
            "GFP_NOIO" => reclaim(flags),
            "GFP_NOFS" => {
                reclaim(flags);
                flags.io = true;
            }
            "GFP_USER" => {
                kernel(flags);
                flags.hardwall = true;
            }
            "GFP_HIGHUSER" => {
                kernel(flags);
                (flags.hardwall, flags.highmem) = (true, true);
            }
            "GFP_HIGHUSER_MOVABLE" | "GFP_TRANSHUGE" => {
                kernel(flags);
                (flags.hardwall, flags.highmem, flags.movable) = (true, true, true);
                flags.nomemalloc |= name.trim() == "GFP_TRANSHUGE";
            }
            "GFP_TRANSHUGE_LIGHT" => {
                (flags.io, flags.fs, flags.nomemalloc) = (true, true, true);
                (flags.hardwall, flags.highmem, flags.movable) = (true, true, true);
            }
            "GFP_DMA" | "__GFP_DMA" => flags.dma = true,
            "GFP_DMA32" | "__GFP_DMA32" => flags.dma32 = true,
            "__GFP_HIGHMEM" => flags.highmem = true,
            "__GFP_MOVABLE" => flags.movable = true,
            "__GFP_HIGH" => flags.high = true,
            "__GFP_ATOMIC" => flags.atomic = true,
            "__GFP_IO" => flags.io = true,
            "__GFP_FS" => flags.fs = true,
            "__GFP_RECLAIM" => reclaim(flags),
            "__GFP_DIRECT_RECLAIM" => flags.direct_reclaim = true,
            "__GFP_KSWAPD_RECLAIM" => flags.kswapd_reclaim = true,
            "__GFP_RETRY_MAYFAIL" | "__GFP_REPEAT" => flags.retry_mayfail = true,
            "__GFP_NORETRY" => flags.noretry = true,
            "__GFP_NOFAIL" => flags.nofail = true,
            "__GFP_MEMALLOC" => flags.memalloc = true,
            "__GFP_NOMEMALLOC" => flags.nomemalloc = true,
            "__GFP_HARDWALL" => flags.hardwall = true,
            "__GFP_THISNODE" => flags.thisnode = true,
            "__GFP_ACCOUNT" => flags.account = true,
            "__GFP_CMA" => flags.cma = true,
            // The page fault handler calls the OOM killer without flags.
            "none" | "" => {}
            // A flag that changes nothing here, or a bit without a name.
            other if other.starts_with("__GFP_") && known(other) => {}
            other if other.starts_with("0x") => {}
            _ => return None,
        }
    }
    Some(flags)
}

fn known(name: &str) -> bool {
    matches!(
        &name["__GFP_".len()..],
        "COMP"
            | "ZERO"
            | "NOWARN"
            | "WRITE"
            | "COLD"
            | "NOTRACK"
            | "NOTRACK_FALSE_POSITIVE"
            | "OTHER_NODE"
            | "RECLAIMABLE"
            | "NOLOCKDEP"
            | "ZEROTAGS"
            | "SKIP_ZERO"
            | "SKIP_KASAN"
            | "SKIP_KASAN_POISON"
            | "SKIP_KASAN_UNPOISON"
            | "NO_OBJ_EXT"
            | "WAIT"
            | "OFFLINABLE"
            | "NO_CODETAG"
            | "DEFER_INIT"
    )
}

fn reclaim(flags: &mut Flags) {
    (flags.direct_reclaim, flags.kswapd_reclaim) = (true, true);
}

fn kernel(flags: &mut Flags) {
    reclaim(flags);
    (flags.io, flags.fs) = (true, true);
}

impl Mode {
    /// Finds out what the number means, if the names were not readable but the kernel is known.
    pub fn decode(&mut self, version: Option<&Version>) {
        if self.flags.is_some() {
            return;
        }
        let Some(version) = version else { return };
        let has = |bit: u64| self.number & bit != 0;
        // The first six bits have been the same in all these kernels.
        let mut flags = Flags {
            dma: has(0x01),
            highmem: has(0x02),
            dma32: has(0x04),
            movable: has(0x08),
            high: has(0x20),
            io: has(0x40),
            fs: has(0x80),
            ..Flags::default()
        };
        if version.at_least(5, 1) {
            flags.atomic = has(0x200) && !version.at_least(6, 3);
            flags.direct_reclaim = has(0x400);
            flags.kswapd_reclaim = has(0x800);
            flags.retry_mayfail = has(0x4000);
            flags.nofail = has(0x8000);
            flags.noretry = has(0x1_0000);
            flags.memalloc = has(0x2_0000);
            flags.nomemalloc = has(0x8_0000);
            flags.hardwall = has(0x10_0000);
            flags.thisnode = has(0x20_0000);
            flags.account = has(0x40_0000);
        } else if version.at_least(4, 14) {
            flags.retry_mayfail = has(0x400);
            flags.nofail = has(0x800);
            flags.noretry = has(0x1000);
            flags.memalloc = has(0x2000);
            flags.nomemalloc = has(0x1_0000);
            flags.hardwall = has(0x2_0000);
            flags.thisnode = has(0x4_0000);
            flags.atomic = has(0x8_0000);
            flags.account = has(0x10_0000);
            let (direct, kswapd) = if version.at_least(4, 17) {
                (0x20_0000, 0x40_0000)
            } else {
                (0x40_0000, 0x100_0000)
            };
            flags.direct_reclaim = has(direct);
            flags.kswapd_reclaim = has(kswapd);
        } else {
            return;
        }
        self.flags = Some(flags);
    }

    /// Returns the flags as text.
    pub fn text(&self) -> String {
        match &self.names {
            Some(names) => names.clone(),
            None => format!("{:#x}", self.number),
        }
    }
}

impl Flags {
    /// Returns whether the caller could not wait for memory to be freed.
    pub fn cannot_wait(&self) -> bool {
        !self.direct_reclaim
    }
}

#[cfg(test)]
mod tests {
    use super::{read, Version};

    #[test]
    fn names_are_understood() {
        let mode = read("0xa20(GFP_ATOMIC), nodemask=(null)").unwrap();
        let flags = mode.flags.unwrap();
        assert!(flags.high && flags.atomic && flags.kswapd_reclaim && flags.cannot_wait());
        let flags = read("0x101cca(GFP_HIGHUSER_MOVABLE|__GFP_WRITE), order=0")
            .unwrap()
            .flags
            .unwrap();
        assert!(flags.movable && flags.highmem && flags.direct_reclaim && flags.hardwall);
    }

    #[test]
    fn damaged_names_are_not_guessed() {
        assert!(read("0x0(), order=0").unwrap().flags.is_some());
        assert_eq!(read("0xa20(GFP_AT").unwrap().flags, None);
        assert_eq!(read("0xa20(GFP_ATXMIC)").unwrap().flags, None);
        assert_eq!(read("GFP_ATOMIC"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn numbers_are_decoded_by_the_kernels_generation() {
        for (number, version) in [
            ("0x1080020", "4.14.5"),
            ("0x480020", "4.19.1"),
            ("0xa20", "5.10.1"),
            ("0x820", "6.6.1"),
        ] {
            let mut mode = read(number).unwrap();
            mode.decode(None);
            assert_eq!(mode.flags, None);
            mode.decode(Version::read(version).as_ref());
            let flags = mode.flags.unwrap();
            assert!(
                flags.high && flags.kswapd_reclaim && flags.cannot_wait(),
                "{version}"
            );
            assert_eq!(flags.atomic, version != "6.6.1");
        }
    }
}
