// SPDX-License-Identifier: GPL-2.0

//! Versions of the kernel, and the rules that each applied to a request.

/// The version of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As the log has it, such as `5.10.17-v7l+`.
    pub text: String,
    major: u32,
    minor: u32,
    /// The number of the stable release, or 0 if the log does not have it.
    release: u32,
}

impl Version {
    /// Reads a word such as `5.10.17-v7l+`.
    pub fn read(word: &str) -> Option<Self> {
        let (major, rest) = word.split_once('.')?;
        let mut numbers = rest.split(|c: char| !c.is_ascii_digit());
        let version = Self {
            text: word.to_owned(),
            major: major.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
            release: numbers
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        };
        ((2..=99).contains(&version.major) && word.len() <= 64).then_some(version)
    }

    /// Finds the version in the line with the CPU and the name of the process, or in the line that
    /// the kernel prints at boot. Debian has its own number in the first word, and the number of
    /// the stable release in a later word.
    pub fn find(text: &str) -> Option<Self> {
        let after = if let Some(at) = text.find("Linux version ") {
            &text[at + "Linux version ".len()..]
        } else {
            let at = text.find("ainted")?;
            &text[at + "ainted".len()..]
        };
        let mut words = after.split_whitespace().take(40).filter_map(Self::read);
        let mut version = words.next()?;
        let same = |other: &Self| (other.major, other.minor) == (version.major, version.minor);
        let newest = words.filter(same).map(|other| other.release).max();

        version.release = version.release.max(newest.unwrap_or(0));
        Some(version)
    }

    /// Returns how this kernel lowers the watermark.
    pub fn rules(&self) -> Rules {
        // 6.1.116 has the rules of 6.3, although it still has __GFP_ATOMIC.
        let early = (self.major, self.minor) == (6, 1) && self.release >= 116;

        if early || self.at_least(6, 3) {
            Rules::MinReserve
        } else {
            Rules::Harder
        }
    }

    /// Returns whether this is such a kernel or a later one.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

/// How a kernel lowers the watermark for urgent requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Until 6.2, but not in 6.1.116 and later: `__GFP_HIGH` halves the watermark (ALLOC_HIGH),
    /// `__GFP_ATOMIC` takes a quarter of the rest off it (ALLOC_HARDER).
    Harder,
    /// Since 6.3: `__GFP_HIGH` halves the watermark (ALLOC_MIN_RESERVE), and takes another quarter
    /// of the rest off it if the caller cannot wait (ALLOC_NON_BLOCK).
    MinReserve,
}

#[cfg(test)]
mod tests {
    use super::{Rules, Version};

    #[test]
    fn versions_are_found() {
        for (line, version) in [
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 5.10.17-v7l+ #1414",
                "5.10.17-v7l+",
            ),
            (
                "CPU: 3 UID: 0 PID: 1 Comm: x Tainted: G        W  O      6.12.1 #2",
                "6.12.1",
            ),
            (
                "CPU: 1 PID: 9 Comm: x Tainted: P                4.14.41 #0",
                "4.14.41",
            ),
            (
                "Linux version 7.3.4+deb13-cloud-amd64 (x@y) (gcc)",
                "7.3.4+deb13-cloud-amd64",
            ),
        ] {
            assert_eq!(Version::find(line).unwrap().text, version);
        }
        assert_eq!(Version::find("CPU: 0 PID: 1 Comm: x"), None);
        assert!(Version::read("6.3").unwrap().at_least(6, 3));
        assert!(!Version::read("6.2.9").unwrap().at_least(6, 3));
        assert_eq!(Version::read("10.0.0.1:53"), Version::read("10.0.0.1:53"));
    }
    #[test]
    fn rules_came_with_a_stable_release() {
        for (line, rules) in [
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 5.10.0-46-cloud-amd64 #1 Debian 5.10.262-1",
                Rules::Harder,
            ),
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 6.1.0-57-cloud-amd64 #1  Debian 6.1.192-3",
                Rules::MinReserve,
            ),
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 6.1.0-57-cloud-amd64 #1",
                Rules::Harder,
            ),
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 6.1.115 #2",
                Rules::Harder,
            ),
            (
                "CPU: 0 PID: 1 Comm: x Not tainted 6.3.0 #1",
                Rules::MinReserve,
            ),
        ] {
            assert_eq!(Version::find(line).unwrap().rules(), rules, "{line}");
        }
    }
}
