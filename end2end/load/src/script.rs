//! Changes what is true on the boards, by chance, and so knows what is true.

use std::io;
use std::net::SocketAddr;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::boards::Hand;
use crate::chance::Chance;
use crate::plant::Shape;
use crate::truth::Truth;

/// A script at work.
#[derive(Debug)]
pub struct Script {
    stop: CancellationToken,
    playing: JoinHandle<io::Result<Truth>>,
}

impl Script {
    /// Writes the first state to all boards, then goes on changing it.
    pub async fn start(shape: Shape, boards: &[SocketAddr], chance: Chance) -> io::Result<Self> {
        let mut player = Player::reach(shape, boards).await?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let playing = tokio::spawn(async move {
            player.play(chance, stopped).await?;
            Ok(player.truth)
        });
        Ok(Self { stop, playing })
    }

    /// Changes nothing more, and says what is true from now on.
    pub async fn end(self) -> anyhow::Result<Truth> {
        self.stop.cancel();
        Ok(self.playing.await??)
    }
}

/// Writes every number of every board anew, twice in every poll, until it is dropped.
pub async fn change_everything(shape: Shape, boards: &[SocketAddr]) -> io::Result<Changing> {
    let mut player = Player::reach(shape, boards).await?;
    let stop = CancellationToken::new();
    let guard = Changing { _stop: stop.clone().drop_guard() };
    tokio::spawn(async move {
        let mut ticks = interval(player.truth.shape.poll_interval / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !stop.is_cancelled() && player.change_all().await.is_ok() {
            ticks.tick().await;
        }
    });
    Ok(guard)
}

/// Ends the changing when it is dropped.
#[derive(Debug)]
pub struct Changing {
    _stop: tokio_util::sync::DropGuard,
}

struct Player {
    truth: Truth,
    /// One for each channel.
    hands: Vec<Hand>,
}

impl Player {
    async fn reach(shape: Shape, boards: &[SocketAddr]) -> io::Result<Self> {
        let mut hands = Vec::new();
        for board in boards {
            hands.push(Hand::reach(*board, shape.settings).await?);
        }
        let mut player = Self { truth: Truth::new(shape), hands };
        for device in 0..player.truth.shape.devices {
            player.write(device).await?;
        }
        Ok(player)
    }

    async fn play(&mut self, mut chance: Chance, stop: CancellationToken) -> io::Result<()> {
        while !stop.is_cancelled() {
            let device = chance.below(self.truth.shape.devices.into());
            let device = u16::try_from(device).unwrap_or(0);
            self.change(device, &mut chance);
            self.write(device).await?;
            sleep(chance.pause(SHORTEST, LONGEST)).await;
        }
        Ok(())
    }

    fn change(&mut self, device: u16, chance: &mut Chance) {
        let switches = self.truth.shape.switches;
        let Some(registers) = self.truth.registers.get_mut(usize::from(device)) else { return };
        registers.change_numbers();
        if chance.happens(SWITCHED) {
            registers.turn(u16::try_from(chance.below(switches.into())).unwrap_or(0));
        }
    }

    async fn change_all(&mut self) -> io::Result<()> {
        for device in 0..self.truth.shape.devices {
            if let Some(registers) = self.truth.registers.get_mut(usize::from(device)) {
                registers.change_numbers();
            }
            self.write(device).await?;
        }
        Ok(())
    }

    async fn write(&mut self, device: u16) -> io::Result<()> {
        let (channel, unit) = self.truth.shape.place(device);
        let hand = self.hands.get_mut(usize::from(channel));
        let registers = self.truth.registers.get(usize::from(device));
        match (hand, registers) {
            (Some(hand), Some(registers)) => hand.write(unit, registers).await,
            _ => Err(io::Error::other("there is no such device")),
        }
    }
}

/// Between two changes, in milliseconds.
const SHORTEST: u64 = 10;
const LONGEST: u64 = 80;

/// How many of the changes turn a switch, in percent.
const SWITCHED: u64 = 40;
