//! A plant, its boards in this process, and the server that reads them.

use std::net::SocketAddr;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::boards::Boards;
use crate::chance::Chance;
use crate::plant::Shape;
use crate::program::{Program, Server, free_address};
use crate::script::{Changing, Script, change_everything};

/// Everything but the clients.
#[derive(Debug)]
pub struct Stage {
    pub program: Program,
    /// Where each server of this stage listens.
    pub address: SocketAddr,
    pub shape: Shape,
    folder: TempDir,
    boards: Boards,
}

impl Stage {
    pub async fn set(program: Program, shape: Shape) -> anyhow::Result<Self> {
        let (boards, folder) = (Boards::start(&shape).await?, tempfile::tempdir()?);
        shape.write(folder.path(), &boards.addresses)?;
        Ok(Self { program, address: free_address().await?, shape, folder, boards })
    }

    /// Starts the server, with the data that the one before it left.
    pub async fn serve(&self) -> anyhow::Result<Server> {
        self.program.serve(self.folder.path(), self.address, None).await
    }

    /// Starts the server on one core alone.
    pub async fn serve_on(&self, core: usize) -> anyhow::Result<Server> {
        self.program.serve(self.folder.path(), self.address, Some(core)).await
    }

    /// Changes what is true by chance.
    pub async fn play(&self, chance: Chance) -> anyhow::Result<Script> {
        let script = Script::start(self.shape.clone(), &self.boards.addresses, chance);
        script.await.context("the boards cannot be written to")
    }

    /// Changes every value in every poll.
    pub async fn change_everything(&self) -> anyhow::Result<Changing> {
        let changing = change_everything(self.shape.clone(), &self.boards.addresses);
        changing.await.context("the boards cannot be written to")
    }
}
