//! Boards in this process, and the hands that turn their values and switches.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use field::simulator::Board;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::plant::{Bit, FIRST_REGISTER, MOST_NUMBERS, REGISTERS, Shape, place_of_switch};

/// The boards of a plant, one a channel; they end with this.
#[derive(Debug)]
pub struct Boards {
    pub addresses: Vec<SocketAddr>,
    _stop: DropGuard,
}

impl Boards {
    pub async fn start(shape: &Shape) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let mut addresses = Vec::new();
        for channel in 0..shape.channels {
            let units = shape.units(channel);
            let board =
                Board::bind((Ipv4Addr::LOCALHOST, 0).into(), &units, channel.into()).await?;
            addresses.push(board.local_addr());
            tokio::spawn(board.run(stop.clone()));
        }
        Ok(Self { addresses, _stop: stop.drop_guard() })
    }
}

/// What one unit's registers hold: the truth that everything else is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Registers([u16; REGISTERS]);

impl Default for Registers {
    /// Numbers of four digits, so that frames stay equally long; all switches are off.
    fn default() -> Self {
        let register = |index| if index < usize::from(MOST_NUMBERS) { LOWEST } else { 0 };
        Self(std::array::from_fn(register))
    }
}

impl Registers {
    /// Every number is another than before, and no switch.
    pub fn change_numbers(&mut self) {
        let numbers = self.0.iter_mut().take(usize::from(MOST_NUMBERS));
        numbers.for_each(|number| *number = next(*number));
    }

    pub fn turn(&mut self, switch: u16) {
        let Bit { register, bit } = place_of_switch(switch);
        if let Some(word) = self.0.get_mut(register) {
            *word ^= 1 << bit;
        }
    }

    pub fn is_on(&self, switch: u16) -> bool {
        let Bit { register, bit } = place_of_switch(switch);
        self.0.get(register).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The value of a measured point, in tenths.
    pub fn number(&self, index: u16) -> Option<u16> {
        self.0.get(usize::from(index % MOST_NUMBERS)).copied()
    }
}

fn next(number: u16) -> u16 {
    if number >= HIGHEST { LOWEST } else { number + 1 }
}

/// A Modbus master that writes the registers of one board's units.
#[derive(Debug)]
pub struct Hand {
    stream: TcpStream,
    transaction: u16,
    /// How many registers it writes: those behind them are set by orders.
    count: u16,
}

impl Hand {
    /// One that leaves the last registers, so many settings, alone.
    pub async fn reach(board: SocketAddr, settings: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(board).await?;
        stream.set_nodelay(true)?;
        let all = u16::try_from(REGISTERS).expect("a board has few registers");
        Ok(Self { stream, transaction: 0, count: all.saturating_sub(settings) })
    }

    /// Writes the registers of a unit at once: no poll sees half of them.
    pub async fn write(&mut self, unit: u8, registers: &Registers) -> io::Result<()> {
        self.transaction = self.transaction.wrapping_add(1);
        self.stream.write_all(&request(self.transaction, unit, registers, self.count)).await?;
        let mut head = [0; HEAD];
        self.stream.read_exact(&mut head).await?;
        if head.last() != Some(&WRITE_REGISTERS) {
            return Err(io::Error::other(format!("the board does not write: {head:?}")));
        }
        self.stream.read_exact(&mut [0; ECHO]).await.map(drop)
    }
}

fn request(transaction: u16, unit: u8, registers: &Registers, count: u16) -> Vec<u8> {
    let bytes = count * 2;
    let length = bytes + 7;
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([unit, WRITE_REGISTERS]);
    frame.extend(FIRST_REGISTER.to_be_bytes());
    frame.extend(count.to_be_bytes());
    frame.push(u8::try_from(bytes).expect("a Modbus frame is short"));
    let registers = registers.0.iter().take(count.into());
    frame.extend(registers.flat_map(|register| register.to_be_bytes()));
    frame
}

/// Modbus function 16.
const WRITE_REGISTERS: u8 = 16;

/// An answer is seven bytes of header, the function, the first register and how many were written.
const HEAD: usize = 8;
const ECHO: usize = 4;

/// In tenths: from 100.0 to 999.9.
const LOWEST: u16 = 1_000;
const HIGHEST: u16 = 9_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_changes_every_number() {
        let mut registers = Registers::default();
        for _ in 0..10_000 {
            let before = registers;
            registers.change_numbers();
            let changed = (0..MOST_NUMBERS).all(|n| before.number(n) != registers.number(n));
            assert!(
                changed && registers.number(0).is_some_and(|n| (LOWEST..=HIGHEST).contains(&n))
            );
        }
    }

    #[test]
    fn one_switch_turns_alone() {
        let mut registers = Registers::default();
        registers.turn(17);
        let on: Vec<_> = (0..128).filter(|switch| registers.is_on(*switch)).collect();
        assert_eq!(on, [17]);
    }

    #[tokio::test]
    async fn what_a_hand_writes_the_board_answers() {
        let shape = Shape::plain(1, std::time::Duration::from_secs(1));
        let boards = Boards::start(&shape).await.unwrap();
        let mut hand = Hand::reach(boards.addresses[0], 0).await.unwrap();
        hand.write(1, &Registers::default()).await.unwrap();
        assert!(hand.write(9, &Registers::default()).await.is_err(), "there is no unit 9");
    }
}
