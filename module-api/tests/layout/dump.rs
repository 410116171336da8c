//! A layout as text, and what may become of it from one version to the next.

use std::collections::BTreeMap;
use std::fmt;

/// All structures and constants, by their names in C.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) constants: BTreeMap<String, String>,
    pub(crate) structures: BTreeMap<String, Structure>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Structure {
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) size: usize,
    pub(crate) kind: String,
}

/// Embedded by value in others, so that they can never grow.
const NEVER_GROW: [&str; 3] = ["amm_str", "amm_seq", "amm_value"];

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The C interface on machines with 64-bit pointers. Written by the test `layout`; never edited."
        )?;
        for (name, value) in &self.constants {
            writeln!(f, "constant {name} {value}")?;
        }
        for (name, structure) in &self.structures {
            writeln!(f, "\nstructure {name} {structure}")?;
            for member in &structure.members {
                writeln!(f, "member {member}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {} align {}", self.size, self.align)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            offset,
            size,
            kind,
        } = self;
        write!(f, "{name} offset {offset} size {size} {kind}")
    }
}

impl Layout {
    /// Reads what `Display` or the program of a header wrote.
    pub(crate) fn parse(text: &str) -> Self {
        let mut layout = Self::default();
        let mut latest = String::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["constant", name, ..] => {
                    layout
                        .constants
                        .insert(name.to_owned(), words[2..].join(" "));
                }
                ["structure", name, "size", size, "align", align] => {
                    name.clone_into(&mut latest);
                    let (size, align) = (size.parse().unwrap(), align.parse().unwrap());
                    let structure = Structure {
                        size,
                        align,
                        members: Vec::new(),
                    };
                    layout.structures.insert(latest.clone(), structure);
                }
                ["member", name, "offset", offset, "size", size, ..] => {
                    layout
                        .structures
                        .get_mut(&latest)
                        .unwrap()
                        .members
                        .push(Member {
                            name: name.to_owned(),
                            offset: offset.parse().unwrap(),
                            size: size.parse().unwrap(),
                            kind: words[6..].join(" "),
                        });
                }
                _ => panic!("not a line of a layout: {line}"),
            }
        }
        layout
    }

    /// All that is not the same in `other`: `-` is only here, `+` only there.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let (here, there) = (self.lines(), other.lines());
        let mut differences = Vec::new();
        for line in here.iter().filter(|line| !there.contains(line)) {
            differences.push(format!("- {line}"));
        }
        for line in there.iter().filter(|line| !here.contains(line)) {
            differences.push(format!("+ {line}"));
        }
        if differences.is_empty() && here != there {
            differences.push("the members are in another order".to_owned());
        }
        differences
    }

    fn lines(&self) -> Vec<String> {
        let constants = self.constants.iter();
        let mut lines: Vec<String> = constants
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        for (name, structure) in &self.structures {
            lines.push(format!("{name} {structure}"));
            lines.extend(
                structure
                    .members
                    .iter()
                    .map(|member| format!("{name}.{member}")),
            );
        }
        lines
    }

    /// What in this layout would break a module or a core that was built with the older one.
    pub(crate) fn breaks(&self, older: &Self) -> Vec<String> {
        let mut breaks = Vec::new();
        for (name, value) in &older.constants {
            if name != "AMM_ABI_MINOR" && self.constants.get(name) != Some(value) {
                breaks.push(format!("{name} was {value}"));
            }
        }
        for (name, before) in &older.structures {
            let Some(now) = self.structures.get(name) else {
                breaks.push(format!("{name} is gone"));
                continue;
            };
            if before.align != now.align || (NEVER_GROW.contains(&name.as_str()) && before != now) {
                breaks.push(format!("{name} never changes; it was {before}"));
            }
            for (index, member) in before.members.iter().enumerate() {
                if now.members.get(index) != Some(member) {
                    breaks.push(format!("{name}.{member} has moved or changed"));
                }
            }
            let added = now.members.iter().skip(before.members.len());
            for member in added.filter(|member| member.offset < before.size) {
                breaks.push(format!(
                    "{name}.{} is within the old structure",
                    member.name
                ));
            }
        }
        breaks
    }

    /// Bytes of a structure that no member covers: the other side could leave them uninitialised.
    pub(crate) fn holes(&self) -> Vec<String> {
        let mut holes = Vec::new();
        for (name, structure) in &self.structures {
            let mut end = 0;
            for member in &structure.members {
                if member.offset != end {
                    holes.push(format!("{name}, before {}", member.name));
                }
                end = member.offset + member.size;
            }
            if end != structure.size {
                holes.push(format!("{name}, at its end"));
            }
        }
        holes
    }
}

const OLDER: &str = "constant AMM_ABI_MINOR 0
constant AMM_OK 0
structure amm_str size 16 align 8
member ptr offset 0 size 8 pointer
member len offset 8 size 8 u64
structure amm_pool size 16 align 8
member size offset 0 size 8 u64
member count offset 8 size 8 u64
";

fn breaks_if(replaced: &str, by: &str) -> Vec<String> {
    let newer = OLDER.replacen(replaced, by, 1);
    assert_ne!(newer, OLDER);
    Layout::parse(&newer).breaks(&Layout::parse(OLDER))
}

#[test]
fn a_member_added_at_the_end_breaks_nothing() {
    let (count, more) = (
        "count offset 8 size 8 u64\n",
        "count offset 8 size 8 u64\nmember free offset 16 size 8 u64\n",
    );

    assert_eq!(breaks_if("AMM_ABI_MINOR 0", "AMM_ABI_MINOR 1"), [""; 0]);
    assert_eq!(breaks_if(count, more), [""; 0]);
    assert_eq!(
        breaks_if(
            "constant AMM_OK 0\n",
            "constant AMM_NEW 7\nconstant AMM_OK 0\n"
        ),
        [""; 0]
    );
}

#[test]
fn any_other_change_breaks_modules_that_exist() {
    let swapped = "member count offset 0 size 8 u64\nmember size offset 8 size 8 u64\n";
    let changes = [
        ("constant AMM_OK 0", "constant AMM_OK 1"),
        ("constant AMM_OK 0\n", ""),
        ("amm_pool", "amm_tank"),
        ("amm_pool size 16 align 8", "amm_pool size 16 align 16"),
        (
            "member size offset 0 size 8 u64\nmember count offset 8 size 8 u64\n",
            swapped,
        ),
        ("count offset 8 size 8 u64", "count offset 8 size 8 i64"),
        ("count offset 8 size 8 u64", "sum offset 8 size 8 u64"),
        (
            "count offset 8 size 8 u64",
            "count offset 8 size 4 u32\nmember free offset 12 size 4 u32",
        ),
        (
            "len offset 8 size 8 u64",
            "len offset 8 size 8 u64\nmember hash offset 16 size 8 u64",
        ),
    ];

    let silent = changes
        .iter()
        .filter(|(replaced, by)| breaks_if(replaced, by).is_empty());

    assert_eq!(silent.count(), 0);
}

#[test]
fn a_layout_reads_back_as_it_was_written() {
    let layout = Layout::parse(OLDER);

    assert_eq!(Layout::parse(&layout.to_string()), layout);
}
