//! Which packets of a source were there before (RFC 3711 3.3.2).

/// Packets that are told apart behind the newest; RFC 3711 3.3.2 asks for 64 at least.
const WINDOW: u64 = 128;

#[derive(Clone, Copy, Debug)]
pub(super) struct ReplayWindow {
    highest: u64,
    /// Bit n: `highest - n` was there.
    seen: u128,
}

impl ReplayWindow {
    /// Begins with an authentic packet.
    pub fn new(index: u64) -> ReplayWindow {
        ReplayWindow { highest: index, seen: 1 }
    }

    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether it was there before, or is too old to tell.
    pub fn has(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => false,
            Some(behind) if behind >= WINDOW => true,
            Some(behind) => self.seen & (1 << behind) != 0,
        }
    }

    /// An authentic packet.
    pub fn note(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.highest) {
            let shifted = u32::try_from(ahead).ok().and_then(|ahead| self.seen.checked_shl(ahead));
            self.seen = shifted.unwrap_or(0) | 1;
            self.highest = index;
        } else if let Some(behind) = self.highest.checked_sub(index).filter(|behind| *behind < WINDOW) {
            self.seen |= 1 << behind;
        }
    }
}

/// RFC 3711 3.3.1: the index of a packet, from the highest one before it: the nearest with that sequence number. `None`:
/// from before the stream began.
pub(super) fn guess_index(highest: u64, sequence: u16) -> Option<u64> {
    let distance = i64::from(sequence.wrapping_sub(highest as u16) as i16);
    highest.checked_add_signed(distance).filter(|index| *index < 1 << 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_is_taken_once_in_any_order() {
        let mut window = ReplayWindow::new(1000);
        assert!(window.has(1000));
        for index in [1005, 1002, 1001, 1004, 1003] {
            assert!(!window.has(index));
            window.note(index);
            assert!(window.has(index));
        }
        assert!(!window.has(1005 - 127) && window.has(1005 - 128), "the window is 128 packets");
        window.note(5000);
        assert!(window.has(1005) && !window.has(4999));
        window.note(u64::from(u32::MAX) + 6000);
        assert!(window.has(5000));
    }

    #[test]
    fn the_nearest_index_is_guessed_over_both_wraps() {
        let first = 0x1_0005;
        assert_eq!(guess_index(first, 6), Some(0x1_0006));
        assert_eq!(guess_index(first, 0xfffe), Some(0xfffe), "before the wrap, come late");
        assert_eq!(guess_index(0x1_fff0, 3), Some(0x2_0003), "behind the wrap");
        assert_eq!(guess_index(5, 0xffff), None, "there was nothing before the beginning");
        assert_eq!(guess_index(0xffff_ffff_ffff, 0), None, "the last packet of a key");
    }
}
