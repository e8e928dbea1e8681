//! A line between clients and server whose faults are switched while it runs.

mod fault;
mod pipe;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::chance::Chance;
pub use fault::Fault;
use pipe::{End, Pipe};

/// A line that listens; it and all its connections end with this.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    orders: mpsc::Sender<Order>,
    _stop: DropGuard,
}

#[derive(Debug)]
enum Order {
    Strike { fault: Fault, percent: u64, chance: Chance, answer: oneshot::Sender<usize> },
    Greet(Fault),
    Calm(oneshot::Sender<()>),
}

impl Proxy {
    /// Listens at any free port, and leads everyone to `target`.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let (orders, inbox) = mpsc::channel(ORDERS);
        let wire = Wire { target, newcomers: Fault::None, switches: Vec::new() };
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = wire.run(listener, inbox) => {}
            }
        });
        Ok(Self { address, orders, _stop: stop.drop_guard() })
    }

    /// Gives this fault to each connection that `chance` picks, and says how many it struck.
    pub async fn strike(&self, fault: Fault, percent: u64, chance: Chance) -> usize {
        let (answer, answered) = oneshot::channel();
        let order = Order::Strike { fault, percent, chance, answer };
        // The wire lives as long as this.
        let _ = self.orders.send(order).await;
        answered.await.unwrap_or(0)
    }

    /// Gives this fault to all connections that come from now on.
    pub async fn greet(&self, fault: Fault) {
        let _ = self.orders.send(Order::Greet(fault)).await;
    }

    /// Ends all faults, and breaks the connections that have lost bytes.
    pub async fn calm(&self) {
        let (answer, answered) = oneshot::channel();
        let _ = self.orders.send(Order::Calm(answer)).await;
        let _ = answered.await;
    }
}

/// Owns the connections.
struct Wire {
    target: SocketAddr,
    newcomers: Fault,
    /// One for each connection that lives.
    switches: Vec<watch::Sender<Fault>>,
}

impl Wire {
    async fn run(mut self, listener: TcpListener, mut orders: mpsc::Receiver<Order>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((client, _)) = accepted {
                    let (switch, fault) = watch::channel(self.newcomers);
                    self.switches.push(switch);
                    connections.spawn(lead(client, self.target, fault));
                },
                Some(_) = connections.join_next() => self.switches.retain(|s| !s.is_closed()),
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Strike { fault, percent, mut chance, answer } => {
                let mut struck = 0;
                for switch in self.switches.iter().filter(|_| chance.happens(percent)) {
                    switch.send_replace(fault);
                    struck += 1;
                }
                let _ = answer.send(struck);
            }
            Order::Greet(fault) => self.newcomers = fault,
            Order::Calm(answer) => {
                self.newcomers = Fault::None;
                for switch in &self.switches {
                    switch.send_replace(Fault::None);
                }
                let _ = answer.send(());
            }
        }
    }
}

/// Leads one connection, both ways, until either end or a fault ends it.
async fn lead(mut client: TcpStream, target: SocketAddr, fault: watch::Receiver<Fault>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    // An untuned line is still a line.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (client_in, client_out) = client.split();
    let (server_in, server_out) = server.split();
    let end = tokio::select! {
        end = Pipe::new(client_in, server_out, fault.clone()).run() => end,
        end = Pipe::new(server_in, client_out, fault).run() => end,
    };
    if end == End::Reset {
        // Without it, both ends would see a goodbye.
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

const ORDERS: usize = 16;
