//! The session against a server that says whatever a test wants.

#[cfg(test)]
mod bad_wire;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod reconnect;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod restarted;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod uplink;
