//! Random rules and random commands, and a real server's verdict on them by `ACL SETUSER` and `ACL DRYRUN`.
//!
//! [`commands`] makes commands out of what the server says of their arguments, [`rules`] makes ACLs that have something
//! to do with them. Everything follows from one seed.

#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::print_stdout, reason = "a test that does not compare says so")]

pub mod commands;
pub mod rules;
pub mod server;

/// A variable that says how many cases there are, or which; the default is for every day.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Whether a server is of the version that the command table was made from. Another one has other commands and options, and
/// its verdicts are not the table's.
pub fn is_of_the_table(redis: &crate::support::Redis) -> bool {
    let info = redis.run(&["INFO", "server"]);
    let version = info.as_str().unwrap().lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap();
    let same = version.starts_with("7.0.");
    if !same {
        assert!(std::env::var_os("RIDGE_ACL_REQUIRED").is_none(), "the table is of Redis 7.0, this is {version}");
        println!("not compared: the table is of Redis 7.0, this is {version}");
    }
    same
}

/// Numbers that look random and follow from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % u64::try_from(end).unwrap()) as usize
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// A text of some letters.
    pub fn text(&mut self, letters: &[u8], longest: usize) -> Vec<u8> {
        (0..self.below(longest + 1)).map(|_| self.pick(letters)).collect()
    }

    /// The same word, each letter in either case.
    pub fn any_case(&mut self, word: &str) -> Vec<u8> {
        let flip =
            |(n, byte): (usize, u8)| if n % 2 == 0 { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        match self.below(4) {
            0 => word.to_ascii_lowercase().into_bytes(),
            1 => word.bytes().enumerate().map(flip).collect(),
            _ => word.to_ascii_uppercase().into_bytes(),
        }
    }
}
