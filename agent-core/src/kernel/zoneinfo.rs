//! `/proc/zoneinfo`: the zones of all nodes, their watermarks, and the pages on per-CPU lists.

use std::ops::Range;
use std::str::FromStr;

use adaptivemm_module_api::units::Pages;

use super::error::ParseError;
use super::fields::{Entry, Fields, Slot};
use super::lines::{KeyNumber, key_number, lines, whole_lines};

/// The zones of a machine, in the kernel's order.
///
/// A zone that is not populated has fewer lines; a kernel may print lines that we do not know. Numbers
/// that are not there are `None`.
#[derive(Debug, Clone, Default)]
pub struct Zoneinfo {
    fields: Fields,
    zones: Vec<ZonePlaces>,
    nodes: Vec<NodePlaces>,
    /// Counters of zones and of nodes.
    entries: Vec<Entry>,
    /// The `count:` lines of all zones and CPUs.
    counts: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct ZonePlaces {
    name: Range<usize>,
    node: u32,
    free: Option<Slot>,
    boost: Option<Slot>,
    min: Option<Slot>,
    low: Option<Slot>,
    high: Option<Slot>,
    spanned: Option<Slot>,
    present: Option<Slot>,
    managed: Option<Slot>,
    cma: Option<Slot>,
    counters: Range<usize>,
    counts: Range<usize>,
}

#[derive(Debug, Clone)]
struct NodePlaces {
    id: u32,
    stats: Range<usize>,
}

/// The part of the file that the next line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// `per-node stats`, printed within the first populated zone of a node (since 4.8).
    Node,
    /// Watermarks and `nr_*` counters.
    Zone,
    /// `pagesets`: lists per CPU.
    Pagesets,
}

impl Zoneinfo {
    /// Takes over a new text of the file.
    ///
    /// # Errors
    ///
    /// If there is no zone in it, or it was cut off.
    pub fn update(&mut self, text: &[u8]) -> Result<(), ParseError> {
        if self.fields.refresh(text) {
            return Ok(());
        }
        self.zones.clear();
        self.nodes.clear();
        self.entries.clear();
        self.counts.clear();
        let text = whole_lines(text)?;
        self.fields.reshape(text);
        let mut section = Section::Zone;
        for (at, line) in lines(text) {
            if let Some((node, name)) = zone_heading(line) {
                self.start_zone(node, at + name.start..at + name.end);
                section = Section::Zone;
            } else {
                section = self.line(section, at, line);
            }
        }
        if self.zones.is_empty() {
            return Err(ParseError::new(
                "a heading such as `Node 0, zone Normal`",
                text,
            ));
        }
        Ok(())
    }

    fn start_zone(&mut self, node: u32, name: Range<usize>) {
        let (entries, counts) = (self.entries.len(), self.counts.len());
        self.zones.push(ZonePlaces {
            name,
            node,
            free: None,
            boost: None,
            min: None,
            low: None,
            high: None,
            spanned: None,
            present: None,
            managed: None,
            cma: None,
            counters: entries..entries,
            counts: counts..counts,
        });
    }

    /// Takes in one line, and returns the section of the next one.
    fn line(&mut self, section: Section, at: usize, line: &str) -> Section {
        let Some(zone) = self.zones.last_mut() else {
            return section;
        };
        match line.trim() {
            "per-node stats" => {
                let start = self.entries.len();
                self.nodes.push(NodePlaces {
                    id: zone.node,
                    stats: start..start,
                });
                return Section::Node;
            }
            "pagesets" => return Section::Pagesets,
            _ => {}
        }
        // `  pages free     3840` has a key of two words and ends the statistics of the node.
        let pages = line.trim_start().strip_prefix("pages ");
        let prefix = pages.map_or(0, |rest| line.len() - rest.len());
        let section = if pages.is_some() {
            Section::Zone
        } else {
            section
        };
        let Some(parts) =
            key_number(at + prefix, &line[prefix..]).filter(|parts| parts.rest.is_empty())
        else {
            return section;
        };
        match section {
            Section::Node => self.node_line(parts),
            Section::Zone => self.zone_line(parts),
            Section::Pagesets => self.pageset_line(parts),
        }
        section
    }

    fn node_line(&mut self, parts: KeyNumber<'_>) {
        self.entries
            .extend(self.fields.entry(parts.key, parts.digits, 1));
        if let Some(node) = self.nodes.last_mut() {
            node.stats.end = self.entries.len();
        }
        // The counters of the zone, if any, come after those of its node.
        if let Some(zone) = self.zones.last_mut() {
            zone.counters = self.entries.len()..self.entries.len();
        }
    }

    fn zone_line(&mut self, parts: KeyNumber<'_>) {
        let Some(zone) = self.zones.last_mut() else {
            return;
        };
        let place = match &self.fields.shape()[parts.key.clone()] {
            "free" => &mut zone.free,
            "boost" => &mut zone.boost,
            "min" => &mut zone.min,
            "low" => &mut zone.low,
            "high" => &mut zone.high,
            "spanned" => &mut zone.spanned,
            "present" => &mut zone.present,
            "managed" => &mut zone.managed,
            "cma" => &mut zone.cma,
            _ => {
                self.entries
                    .extend(self.fields.entry(parts.key, parts.digits, 1));
                zone.counters.end = self.entries.len();
                return;
            }
        };
        let slot = self.fields.note(parts.digits);
        *place = place.or(slot);
    }

    fn pageset_line(&mut self, parts: KeyNumber<'_>) {
        let Some(zone) = self.zones.last_mut() else {
            return;
        };
        // The number of `cpu:` is a name; the others are numbers that come and go.
        let is_count = match &self.fields.shape()[parts.key] {
            "cpu:" => return,
            key => key == "count:",
        };
        let slot = self.fields.note(parts.digits);
        if is_count {
            self.counts.extend(slot);
            zone.counts.end = self.counts.len();
        }
    }

    /// The zones, in the kernel's order.
    pub fn zones(&self) -> impl Iterator<Item = Zone<'_>> {
        self.zones.iter().map(|places| Zone {
            zoneinfo: self,
            places,
        })
    }

    /// The nodes that have statistics of their own, in the kernel's order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.nodes.iter().map(|places| Node {
            zoneinfo: self,
            places,
        })
    }

    fn named(&self, entries: Range<usize>) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.fields.named(&self.entries[entries])
    }
}

impl FromStr for Zoneinfo {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut zoneinfo = Self::default();
        zoneinfo.update(text.as_bytes())?;
        Ok(zoneinfo)
    }
}

/// One zone of one node.
#[derive(Debug, Clone, Copy)]
pub struct Zone<'a> {
    zoneinfo: &'a Zoneinfo,
    places: &'a ZonePlaces,
}

/// Accessors for a number that a zone may lack.
macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(&self) -> Option<Pages> {
            self.places.$name.map(|slot| Pages::new(self.zoneinfo.fields.value(slot)))
        })*
    };
}

impl<'a> Zone<'a> {
    /// `DMA`, `DMA32`, `Normal`, ...
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.zoneinfo.fields.shape()[self.places.name.clone()]
    }

    /// The number of its node.
    #[must_use]
    pub fn node(&self) -> u32 {
        self.places.node
    }

    pages! {
        /// `pages free`: not on per-CPU lists.
        free
        /// `boost`: added to the watermarks for a while (since 5.0).
        boost
        /// The min watermark.
        min
        /// The low watermark.
        low
        /// The high watermark; not the `high:` of a per-CPU list.
        high
        /// The pages between the first and the last, holes included.
        spanned
        /// The pages that exist.
        present
        /// The pages that the buddy allocator manages.
        managed
        /// The pages that are reserved for the contiguous memory allocator (since 5.13).
        cma
    }

    /// Free pages on the lists of the CPUs: the sum of the `count:` lines; `None` if there are none.
    #[must_use]
    pub fn per_cpu(&self) -> Option<Pages> {
        let counts = self.zoneinfo.counts[self.places.counts.clone()].iter();
        counts
            .map(|&slot| Pages::new(self.zoneinfo.fields.value(slot)))
            .reduce(Pages::saturating_add)
    }

    /// The zone's further counters, such as `nr_free_cma`.
    pub fn counters(&self) -> impl ExactSizeIterator<Item = (&'a str, u64)> + use<'a> {
        self.zoneinfo.named(self.places.counters.clone())
    }
}

/// The statistics of one node.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    zoneinfo: &'a Zoneinfo,
    places: &'a NodePlaces,
}

impl<'a> Node<'a> {
    /// The number of the node; numbers may have gaps.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.places.id
    }

    /// The counters below `per-node stats`.
    pub fn stats(&self) -> impl ExactSizeIterator<Item = (&'a str, u64)> + use<'a> {
        self.zoneinfo.named(self.places.stats.clone())
    }
}

/// The node, and the place of the name, of `Node 0, zone   Normal`.
pub(crate) fn zone_heading(line: &str) -> Option<(u32, Range<usize>)> {
    let (node, rest) = line.strip_prefix("Node ")?.split_once(", zone ")?;
    let rest = rest.trim_start_matches(' ');
    let name = rest.split(' ').next()?;
    let start = line.len() - rest.len();
    (!name.is_empty()).then_some(())?;
    Some((node.parse().ok()?, start..start + name.len()))
}

#[cfg(test)]
mod tests;
