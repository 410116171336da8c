//! What identifies a machine, a site or a person in a text, and what stands in its place: a hash under a key. Whoever has the
//! key can join what comes from one machine; nobody can find out which machine that is by trying names.

use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::base::files;

/// A shorter key can be guessed.
const SHORTEST: usize = 16;
/// A longer file is no key.
const LONGEST: u64 = 4096;
/// What hashes are written in: no name of a host, such as `db7`, is in it by chance.
const LETTERS: &str = "BCDFGHJKLMNPQRST";
/// Where names are those of people, of customers or of devices. Files of the kernel, and of programs as packages bring them,
/// are the same everywhere.
const PLACES: [&str; 14] = [
    "/home/",
    "/root/",
    "/srv/",
    "/opt/",
    "/mnt/",
    "/media/",
    "/var/",
    "/tmp/",
    "/data/",
    "/export/",
    "/run/user/",
    "/usr/local/",
    "/dev/disk/",
    "/dev/mapper/",
];
/// After these words comes a name or a number that is one of a kind.
const BEFORE: [&str; 9] = [
    "serial",
    "serial-number",
    "uid",
    "user",
    "username",
    "login",
    "hostname",
    "machine-id",
    "container",
];

/// The key of a site, or one that nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct SiteKey([u64; 2]);

impl SiteKey {
    /// The key that a file holds: at least 16 bytes, best random ones.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is too short or too long.
    pub fn read(path: &Path) -> io::Result<Self> {
        // Whoever names a link means where it leads, as where secrets are mounted; a pipe there would be waited for.
        let text = files::read(&fs::canonicalize(path)?, LONGEST)?;
        let text = text.trim_ascii();
        if text.len() < SHORTEST {
            let why = format!("a key has {SHORTEST} to {LONGEST} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Self::of(text))
    }

    /// One for this time only: what is made with it can be joined with nothing else.
    ///
    /// # Errors
    ///
    /// If the kernel has no random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self::of(&bytes))
    }

    /// Of bytes that nobody else knows.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self([1, 2].map(|half| hash([half, 0], bytes)))
    }

    /// `host-GKTB…`, always the same for the same name.
    pub(super) fn stand_in(self, kind: &str, name: &str) -> String {
        let [first, second] = self.0;
        let name = name.to_lowercase();
        let halves = [
            hash([first, second], name.as_bytes()),
            hash([second, first], name.as_bytes()),
        ];
        let digits = format!("{:016x}{:04x}", halves[0], halves[1] >> 48);
        let letters = digits.chars().filter_map(|digit| {
            let place = usize::try_from(digit.to_digit(16)?).ok()?;
            LETTERS.chars().nth(place)
        });
        format!("{kind}-{}", letters.collect::<String>())
    }
}

/// `SipHash`, which is made for keys. Its successor in the library takes none.
#[expect(deprecated, reason = "the only hash of the library with a key")]
fn hash(key: [u64; 2], bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::SipHasher::new_with_keys(key[0], key[1]);
    hasher.write(bytes);
    hasher.finish()
}

/// The text with a stand-in for everything that looks as if it identified somebody.
pub(super) fn without(text: &str, key: SiteKey) -> String {
    let is_between = |c: char| c.is_whitespace() || "(),;\"'`[]{}<>=|".contains(c);
    let mut replaced = String::new();
    let mut before = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_between).unwrap_or(rest.len());
        let (word, others) = rest.split_at(end);
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        let kind = kind(bare).or_else(|| of_word_before(&before, bare));
        match kind {
            Some(kind) => {
                replaced.push_str(&key.stand_in(kind, bare));
                replaced.push_str(&word[bare.len()..]);
            }
            None => replaced.push_str(word),
        }
        if !bare.is_empty() {
            before = bare.trim_start_matches('-').to_lowercase();
            if word.ends_with(':') || others.starts_with('=') {
                before.push('=');
            }
        }
        let mut characters = others.chars();
        replaced.extend(characters.next());
        rest = characters.as_str();
    }
    replaced
}

/// What follows a word that announces it. `user joe` may be any sentence, `user=joe` and `user: joe` are not.
fn of_word_before(before: &str, word: &str) -> Option<&'static str> {
    let (name, is_assigned) = match before.strip_suffix(['=', ':']) {
        Some(name) => (name, true),
        None => (before, false),
    };
    let is_single = is_assigned || word.chars().any(|c| c.is_ascii_digit());
    let is_name = word.len() >= 2
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || "-_.@".contains(c));
    (BEFORE.contains(&name) && is_single && is_name).then_some("name")
}

/// What a word identifies, if it does.
fn kind(word: &str) -> Option<&'static str> {
    if word.contains("://") {
        return Some("url");
    }
    if word.contains('@')
        && word
            .split_once('@')
            .is_some_and(|(name, _)| !name.is_empty())
    {
        return Some("user");
    }
    if is_hardware_address(word) {
        return Some("mac");
    }
    let host = word.split_once('/').map_or(word, |(host, _)| host);
    let port = host.rsplit_once(':').map_or(host, |(host, _)| host);
    if [host, port]
        .iter()
        .any(|text| text.parse::<Ipv4Addr>().is_ok())
        || host.parse::<Ipv6Addr>().is_ok_and(|_| host.len() > 2)
    {
        return Some("ip");
    }
    if PLACES.iter().any(|place| word.starts_with(place)) {
        return Some("path");
    }
    // A group or a file with the number of a user, or of a container, in it.
    let parts = word.split(['/', '.', ':', '_']);
    if parts.clone().any(is_of_user) {
        return Some("user");
    }
    parts
        .flat_map(|part| [part, part.rsplit_once('-').map_or(part, |(_, end)| end)])
        .any(is_identifier)
        .then_some("id")
}

fn is_hardware_address(word: &str) -> bool {
    let parts: Vec<&str> = word.split([':', '-']).collect();
    let is_byte =
        |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    [6, 8, 20].contains(&parts.len()) && parts.iter().all(is_byte)
}

/// `user-1000`, as of `user-1000.slice`.
fn is_of_user(part: &str) -> bool {
    let number = part
        .strip_prefix("user-")
        .or_else(|| part.strip_prefix("uid-"));
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A UUID, or as many hexadecimal digits as the short name of a container has. Addresses of the kernel begin with `0x`.
fn is_identifier(part: &str) -> bool {
    let digits = part.strip_prefix("pod").unwrap_or(part);
    let is_hex = digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let count = digits.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_mixed = digits.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_hex && count >= 12 && (is_mixed || count >= 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SiteKey {
        SiteKey::of(b"a key of the site")
    }

    #[test]
    fn what_identifies_somebody_is_replaced() {
        for word in [
            "52:54:00:12:34:56",
            "52-54-00-12-34-56",
            "10.1.2.3",
            "10.1.2.3:8080",
            "10.1.0.0/16",
            "fe80::5054:ff:fe12:3456",
            "021614d5-dbd6-4d4d-8a2c-4c0d7aec5a7f",
            "0123456789abcdef0123456789abcdef",
            "0b1c2d3e4f5a",
            "cri-containerd-0b1c2d3e4f5a0b1c2d3e4f5a.scope",
            "/docker/0b1c2d3e4f5a0b1c2d3e4f5a",
            "/user.slice/user-1000.slice",
            "/home/joe/bin/x",
            "/dev/disk/by-id/ata-X_S3Z9NB0K",
            "joe@example.org",
            "user@1000.service",
            "https://intranet.acme.example/x",
        ] {
            let text = without(&format!("see ({word}), or {word}."), key());

            assert!(!text.contains(word), "{word}: {text}");
            assert!(text.starts_with("see (") && text.ends_with('.'), "{text}");
        }
        for (text, secret) in [
            ("serial: S3Z9NB0K", "S3Z9NB0K"),
            ("serial=S3Z9NB0K", "S3Z9NB0K"),
            ("uid 1001 has", "1001"),
            ("user=joe has", "joe"),
            ("user: joe has", "joe"),
        ] {
            assert!(!without(text, key()).contains(secret), "{text}");
        }
    }

    #[test]
    fn what_is_the_same_everywhere_is_kept() {
        for text in [
            "/proc/slabinfo, /sys/kernel/debug/page_owner_stacks: mm/slab.c:12 func:x",
            "at 2026-11-28 00:51:13Z, 10:15:03; 1.2 GiB, 123456789012345 bytes",
            "kmalloc-512 of 6.1.0-56-amd64, node-0: 0xffffffff81234567",
            "the user may look; memory comes back",
            "",
        ] {
            assert_eq!(without(text, key()), text);
        }
    }

    #[test]
    fn a_stand_in_is_the_same_under_one_key_and_another_under_another() {
        let host = |key: SiteKey| key.stand_in("host", "oak");

        assert_eq!(host(key()), host(key()));
        assert_ne!(host(key()), host(SiteKey::of(b"another key of a site")));
        assert_ne!(
            host(SiteKey::random().unwrap()),
            host(SiteKey::random().unwrap())
        );
        assert_ne!(host(key()), key().stand_in("host", "elm"));
    }

    #[test]
    fn a_key_is_long_enough() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, is_well) in [("short", false), ("sixteen bytes it has\n", true)] {
            fs::write(file.path(), text).unwrap();

            assert_eq!(SiteKey::read(file.path()).is_ok(), is_well, "{text}");
        }
    }

    #[test]
    fn a_key_may_be_reached_by_a_link_and_is_no_pipe() {
        let place = tempfile::tempdir().unwrap();
        let [key, link, pipe] = ["key", "link", "pipe"].map(|name| place.path().join(name));
        fs::write(&key, "sixteen bytes it has\n").unwrap();
        std::os::unix::fs::symlink(&key, &link).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();

        assert!(SiteKey::read(&link).is_ok());
        assert!(SiteKey::read(&pipe).is_err());
    }
}
