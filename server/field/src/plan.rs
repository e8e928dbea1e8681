//! The fewest reads that bring home the points that are due.

use crate::map::{Area, Mapping};

/// One read: neighbouring registers, or neighbouring bits, of one area.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    pub area: Area,
    pub start: u16,
    pub count: u16,
    /// The points within it, by their place in the mappings.
    pub points: Vec<usize>,
    /// Whether it reads over places where no point is.
    pub has_holes: bool,
}

/// What to do where two points are near each other, but not neighbours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holes {
    /// Read over the places between them.
    Bridge,
    /// Read them one by one: some boards refuse a read that touches a place they do not have.
    Avoid,
}

/// Covers the points `due`, given by their place in `mappings`; no value is split between reads.
pub fn plan(mappings: &[Mapping], due: &[usize], holes: Holes) -> Vec<Block> {
    let mut spans: Vec<_> = due
        .iter()
        .filter_map(|&point| mappings.get(point).map(|mapping| Span::new(point, mapping)))
        .collect();
    spans.sort_by_key(|span| (span.area, span.start, span.end));

    let mut blocks: Vec<Block> = Vec::new();
    for span in spans {
        let joined = blocks.last_mut().is_some_and(|block| block.join(&span, holes));
        if !joined {
            blocks.push(span.into_block());
        }
    }
    blocks
}

impl Block {
    /// Takes the value in, unless it is too far away or the read would become too long.
    fn join(&mut self, span: &Span, holes: Holes) -> bool {
        let start = u32::from(self.start);
        let end = start + u32::from(self.count);
        let hole = span.start.saturating_sub(end);
        let bridged = if holes == Holes::Bridge { widest_hole(self.area) } else { 0 };
        let count = span.end.max(end) - start;
        if span.area != self.area || hole > bridged || count > longest_read(self.area) {
            return false;
        }
        self.count = u16::try_from(count).unwrap_or(self.count);
        self.points.push(span.point);
        self.has_holes |= hole > 0;
        true
    }
}

/// Where one value stands: from `start` up to, not including, `end`.
struct Span {
    point: usize,
    area: Area,
    start: u32,
    end: u32,
}

impl Span {
    fn new(point: usize, mapping: &Mapping) -> Self {
        let start = u32::from(mapping.address);
        Self { point, area: mapping.area, start, end: start + u32::from(mapping.width()) }
    }

    fn into_block(self) -> Block {
        Block {
            area: self.area,
            start: u16::try_from(self.start).unwrap_or(u16::MAX),
            count: u16::try_from(self.end - self.start).unwrap_or(1),
            points: vec![self.point],
            has_holes: false,
        }
    }
}

fn longest_read(area: Area) -> u32 {
    if area.holds_bits() { MOST_BITS } else { MOST_REGISTERS }
}

fn widest_hole(area: Area) -> u32 {
    if area.holds_bits() { WIDEST_HOLE * 16 } else { WIDEST_HOLE }
}

/// More does not fit into one Modbus answer.
const MOST_REGISTERS: u32 = 125;
const MOST_BITS: u32 = 2000;

/// In registers. One more read costs 13 bytes and two silences on a serial line (21 bytes over
/// TCP) and the board's time to think: about as much as the 32 bytes of sixteen registers.
const WIDEST_HOLE: u32 = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::map::{ByteOrder, DataType};

    #[test]
    fn neighbours_are_read_together_and_strangers_apart() {
        use Area::{Coil, HoldingRegister, InputRegister};
        let table = [
            (vec![(HoldingRegister, 0), (HoldingRegister, 1)], vec![(0, 2)]),
            (vec![(HoldingRegister, 1), (HoldingRegister, 0)], vec![(0, 2)]),
            (vec![(HoldingRegister, 0), (InputRegister, 1)], vec![(0, 1), (1, 1)]),
            (vec![(HoldingRegister, 0), (HoldingRegister, 17)], vec![(0, 18)]),
            (vec![(HoldingRegister, 0), (HoldingRegister, 18)], vec![(0, 1), (18, 1)]),
            (vec![(Coil, 0), (Coil, 257)], vec![(0, 258)]),
            (vec![(Coil, 0), (Coil, 258)], vec![(0, 1), (258, 1)]),
            (vec![(HoldingRegister, 7), (HoldingRegister, 7)], vec![(7, 1)]),
        ];
        for (places, expected) in table {
            let mappings: Vec<_> =
                places.iter().map(|&(area, address)| mapping(area, address, false)).collect();
            let blocks = plan(&mappings, &every(&mappings), Holes::Bridge);
            let reads: Vec<_> = blocks.iter().map(|block| (block.start, block.count)).collect();
            assert_eq!(reads, expected, "{places:?}");
        }
    }

    #[test]
    fn a_value_is_never_split_at_the_end_of_a_read() {
        let mappings: Vec<_> =
            (0..100).map(|i| mapping(Area::HoldingRegister, i * 2, true)).collect();
        let blocks = plan(&mappings, &every(&mappings), Holes::Bridge);
        let reads: Vec<_> = blocks.iter().map(|block| (block.start, block.count)).collect();
        assert_eq!(reads, [(0, 124), (124, 76)]);
    }

    #[test]
    fn holes_can_be_avoided() {
        let mappings =
            [0, 1, 3].map(|address| mapping(Area::HoldingRegister, address, false)).to_vec();
        let bridged = plan(&mappings, &every(&mappings), Holes::Bridge);
        assert!(bridged.len() == 1 && bridged[0].has_holes);
        let avoided = plan(&mappings, &every(&mappings), Holes::Avoid);
        assert!(avoided.len() == 2 && avoided.iter().all(|block| !block.has_holes));
    }

    #[test]
    fn only_what_is_due_is_read() {
        let mappings =
            [0, 1, 2].map(|address| mapping(Area::HoldingRegister, address, false)).to_vec();
        assert_eq!(plan(&mappings, &[], Holes::Bridge), []);
        let blocks = plan(&mappings, &[2, 99], Holes::Bridge);
        assert!(matches!(blocks.as_slice(), [Block { start: 2, count: 1, .. }]));
    }

    proptest! {
        #[test]
        fn every_point_is_read_once_and_whole(mappings in mappings(), avoid: bool) {
            let holes = if avoid { Holes::Avoid } else { Holes::Bridge };
            let blocks = plan(&mappings, &every(&mappings), holes);
            let mut read: Vec<_> = blocks.iter().flat_map(|block| &block.points).copied().collect();
            read.sort_unstable();
            prop_assert_eq!(read, every(&mappings));
            for block in &blocks {
                for &point in &block.points {
                    let mapping = &mappings[point];
                    let end = u32::from(mapping.address) + u32::from(mapping.width());
                    prop_assert_eq!(mapping.area, block.area);
                    prop_assert!(mapping.address >= block.start);
                    prop_assert!(end <= u32::from(block.start) + u32::from(block.count));
                }
            }
        }

        #[test]
        fn no_read_is_longer_than_an_answer(mappings in mappings()) {
            for block in plan(&mappings, &every(&mappings), Holes::Bridge) {
                let most = if block.area.holds_bits() { 2000 } else { 125 };
                prop_assert!((1..=most).contains(&block.count));
            }
        }

        #[test]
        fn no_two_reads_could_have_been_one(mappings in mappings()) {
            let blocks = plan(&mappings, &every(&mappings), Holes::Bridge);
            for pair in blocks.windows(2).filter(|pair| pair[0].area == pair[1].area) {
                let (first, second) = (&pair[0], &pair[1]);
                let end = |block: &Block| u32::from(block.start) + u32::from(block.count);
                let hole = u32::from(second.start).saturating_sub(end(first));
                let together = end(second) - u32::from(first.start);
                let far = hole > widest_hole(first.area);
                prop_assert!(far || together > longest_read(first.area));
            }
        }
    }

    fn mappings() -> impl Strategy<Value = Vec<Mapping>> {
        let area = prop::sample::select(vec![
            Area::Coil,
            Area::DiscreteInput,
            Area::HoldingRegister,
            Area::InputRegister,
        ]);
        let address = prop_oneof![0..400u16, 65_000..65_535u16];
        prop::collection::vec((area, address, any::<bool>()), 0..200).prop_map(|places| {
            places.into_iter().map(|(area, address, wide)| mapping(area, address, wide)).collect()
        })
    }

    fn mapping(area: Area, address: u16, wide: bool) -> Mapping {
        let data_type = match (area.holds_bits(), wide) {
            (true, _) => DataType::Bit,
            (false, true) => DataType::Float32,
            (false, false) => DataType::Uint16,
        };
        Mapping {
            area,
            address,
            data_type,
            byte_order: ByteOrder::Abcd,
            bit: None,
            scale: 1.0,
            offset: 0.0,
            poll: None,
            decimals: 1,
        }
    }

    fn every(mappings: &[Mapping]) -> Vec<usize> {
        (0..mappings.len()).collect()
    }
}
