//! A plant to measure with: so many devices, points and channels, as the server's configuration.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::id::DeviceId;

/// What a plant consists of. All its devices have the same points.
#[derive(Clone, Debug)]
pub struct Shape {
    pub devices: u16,
    /// The devices are spread evenly over so many channels, each with a board of its own.
    pub channels: u16,
    /// Measured values; where there are more of them than registers, some share one.
    pub numbers: u16,
    /// Switches; of these, the first `key_switches` are key and the next `faults` mean a fault.
    pub switches: u16,
    pub key_switches: u16,
    pub faults: u16,
    /// Values that can be set, in the last registers.
    pub settings: u16,
    pub poll_interval: Duration,
    pub snapshot_interval: Duration,
    /// A longer name makes a longer frame.
    pub name_length: usize,
}

/// Where a switch stands among a unit's registers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bit {
    pub register: usize,
    pub bit: u16,
}

impl Shape {
    /// One device with as many points, of which nothing is key, and nothing but deltas.
    pub fn plain(points: u16, poll_interval: Duration) -> Self {
        Self {
            devices: 1,
            channels: 1,
            numbers: points,
            switches: 0,
            key_switches: 0,
            faults: 0,
            settings: 0,
            poll_interval,
            snapshot_interval: Duration::from_secs(3_600),
            name_length: 0,
        }
    }

    pub fn device(index: u16) -> DeviceId {
        format!("d{index}").parse().expect("a letter and a number are an identifier")
    }

    pub fn devices(&self) -> impl Iterator<Item = DeviceId> + use<> {
        (0..self.devices).map(Self::device)
    }

    /// The channel of a device, and its unit there.
    pub fn place(&self, device: u16) -> (u16, u8) {
        let channels = self.channels.max(1);
        let unit = u8::try_from(device / channels + 1).unwrap_or(u8::MAX);
        (device % channels, unit)
    }

    /// The units of one channel.
    pub fn units(&self, channel: u16) -> Vec<u8> {
        let places = (0..self.devices).map(|device| self.place(device));
        places.filter(|place| place.0 == channel).map(|place| place.1).collect()
    }

    pub fn number_key(&self, index: u16) -> String {
        format!("{:x<width$}", format!("n{index}"), width = self.name_length)
    }

    pub fn setting_key(index: u16) -> String {
        format!("set{index}")
    }

    pub fn switch_key(&self, index: u16) -> String {
        format!("{:x<width$}", format!("s{index}"), width = self.name_length)
    }

    /// The code of a switch that means a fault.
    pub fn fault_code(&self, switch: u16) -> Option<String> {
        let fault = switch.checked_sub(self.key_switches)?;
        (fault < self.faults).then(|| format!("E{:03}", fault + 1))
    }

    /// Writes `gapless.toml` and `points.csv` for boards that listen at these addresses.
    pub fn write(&self, folder: &Path, boards: &[SocketAddr]) -> io::Result<PathBuf> {
        fs::write(folder.join("points.csv"), self.table())?;
        let path = folder.join("gapless.toml");
        fs::write(&path, self.configuration(boards))?;
        Ok(path)
    }

    fn configuration(&self, boards: &[SocketAddr]) -> String {
        let snapshot = self.snapshot_interval.as_secs().max(1);
        let mut text = format!(
            "points = \"points.csv\"\n[push_strategy]\nfull_snapshot_interval = {snapshot}\n\
             [auth]\nenabled = false\n[[site]]\nid = \"site\"\n"
        );
        let millis = self.poll_interval.as_millis();
        for (channel, board) in boards.iter().enumerate() {
            let (host, port) = (board.ip(), board.port());
            let _ = writeln!(
                text,
                "[[channel]]\nid = {channel}\ntransport = \"tcp\"\nhost = \"{host}\"\n\
                 port = {port}\npoll_interval = \"{millis}ms\""
            );
        }
        for device in 0..self.devices {
            let ((channel, unit), id) = (self.place(device), Self::device(device));
            let _ = writeln!(
                text,
                "[[device]]\nid = \"{id}\"\nsite = \"site\"\nchannel = {channel}\nunit = {unit}"
            );
        }
        text
    }

    fn table(&self) -> String {
        let mut text =
            "device,point_id,type,area,address,datatype,bit,scale,role,fault_code,key\n".to_owned();
        for device in self.devices() {
            for index in 0..self.numbers {
                let (key, address) =
                    (self.number_key(index), FIRST_REGISTER + index % MOST_NUMBERS);
                let _ = writeln!(text, "{device},{key},T,hr,0x{address:04x},uint16,,0.1,,,");
            }
            for index in 0..self.switches {
                let _ = writeln!(text, "{device},{}", self.switch_row(index));
            }
            for index in 0..self.settings {
                let (key, address) = (Self::setting_key(index), LAST_REGISTER - index);
                let _ = writeln!(text, "{device},{key},A,hr,0x{address:04x},uint16,,0.1,,,");
            }
        }
        text
    }

    fn switch_row(&self, index: u16) -> String {
        let (key, Bit { bit, .. }) = (self.switch_key(index), place_of_switch(index));
        let address = FIRST_REGISTER + MOST_NUMBERS + index / 16;
        let code = self.fault_code(index);
        let role = if code.is_some() { "fault" } else { "" };
        let is_key = if index < self.key_switches { "yes" } else { "" };
        let code = code.unwrap_or_default();
        format!("{key},S,hr,0x{address:04x},bool,{bit},,{role},{code},{is_key}")
    }
}

/// Where a switch stands among a unit's registers.
pub fn place_of_switch(index: u16) -> Bit {
    Bit { register: usize::from(MOST_NUMBERS + index / 16), bit: index % 16 }
}

/// The simulator's parameters: the registers that anyone may write.
pub const FIRST_REGISTER: u16 = 0x2200;
pub const REGISTERS: usize = 56;

/// The last of them.
const LAST_REGISTER: u16 = FIRST_REGISTER + REGISTERS as u16 - 1;

/// The first registers hold numbers, the rest sixteen switches each.
pub const MOST_NUMBERS: u16 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_points_fit_on_one_board() {
        let table = Shape::plain(100, Duration::from_secs(1)).table();
        assert_eq!(table.lines().count(), 101);
        assert!(table.contains("d0,n50,T,hr,0x2202,"), "{table}");
        assert_eq!(place_of_switch(51), Bit { register: 51, bit: 3 });
    }

    #[test]
    fn devices_are_spread_over_the_channels() {
        let shape = Shape { devices: 10, channels: 4, ..Shape::plain(1, Duration::from_secs(1)) };
        assert_eq!(shape.place(0), (0, 1));
        assert_eq!(shape.place(7), (3, 2));
        assert_eq!(shape.units(1), [1, 2, 3]);
        assert_eq!(shape.units(3), [1, 2]);
    }

    #[test]
    fn some_switches_are_key_and_some_mean_a_fault() {
        let shape = Shape {
            switches: 4,
            key_switches: 2,
            faults: 1,
            ..Shape::plain(1, Duration::from_secs(1))
        };
        assert!(shape.switch_row(1).ends_with(",,yes"));
        assert!(shape.switch_row(2).ends_with(",fault,E001,"));
        assert!(shape.switch_row(3).ends_with(",,,"));
    }
}
