//! A client that trusts nothing: it verifies every check code and counts every number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use protocol::digest::{Algorithm, Seal};
use protocol::frame::Sequence;
use protocol::id::DeviceId;
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::wire::cut::cut;
use protocol::wire::native::{
    ClientFrame, ClientMessage, ConnectSuccess, Range, ServerFrame, ServerMessage,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{House, KEY};

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// What the server returned of the sub-protocols offered.
    pub(crate) selected: Option<String>,
    pub(crate) seal: Seal,
    device: DeviceId,
    counts: BTreeMap<Option<StreamName>, Count>,
}

/// How far a stream has come.
#[derive(Default)]
struct Count {
    last: Sequence,
    recovered: BTreeSet<Sequence>,
}

impl Client {
    /// Dials `board-1`.
    pub(crate) async fn dial(house: &House) -> Self {
        Self::dial_at(house, "device_id=board-1", &[]).await.unwrap()
    }

    pub(crate) async fn dial_at(
        house: &House,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let url = format!("ws://{}/ws/device?{query}", house.address);
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(house.address).await?;
        let (socket, response) = client_async(request, stream).await?;
        let selected = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
        Ok(Self {
            socket,
            selected: selected.map(|text| text.to_str().unwrap().to_owned()),
            seal: Seal::new(Algorithm::Md5, KEY),
            device: "board-1".parse().unwrap(),
            counts: BTreeMap::new(),
        })
    }

    /// Dials `board-1`, and reads the greeting and the first snapshot.
    pub(crate) async fn join(house: &House) -> (Self, ConnectSuccess) {
        let mut client = Self::dial(house).await;
        let ServerMessage::ConnectSuccess(welcome) = client.hear().await.message else {
            panic!("a greeting comes first");
        };
        let snapshot = client.hear().await;
        assert!(matches!(snapshot.message, ServerMessage::FullSnapshot(_)), "{snapshot:?}");
        assert_eq!(snapshot.seq, Some(Sequence::FIRST));
        (client, welcome)
    }

    pub(crate) async fn say(&mut self, message: ClientMessage) {
        let frame = ClientFrame::new(message, &self.device, Timestamp::from_millis(1));
        self.say_text(frame.write(&self.seal)).await;
    }

    /// S0-57
    pub(crate) async fn miss(&mut self, ranges: &[(u64, u64)]) {
        let range = |(from, to): &(u64, u64)| (Sequence(*from), Sequence(*to));
        let ranges: Vec<Range> = ranges.iter().map(range).collect();
        self.say(ClientMessage::DataLost { stream: None, epoch: None, ranges }).await;
    }

    pub(crate) async fn say_text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// The next frame, verified.
    pub(crate) async fn hear(&mut self) -> ServerFrame {
        match self.receive().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// Reads on to the first frame that `is_wanted`.
    pub(crate) async fn hear_until(
        &mut self,
        is_wanted: impl Fn(&ServerFrame) -> bool,
    ) -> ServerFrame {
        loop {
            let frame = self.hear().await;
            if is_wanted(&frame) {
                return frame;
            }
        }
    }

    /// Reads on to the end, and returns its close code.
    pub(crate) async fn hear_close(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.receive().await {
                return code;
            }
        }
    }

    async fn receive(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("the server is silent");
            match next {
                Some(Ok(Message::Text(text))) => return Ok(self.verify(&text)),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    fn verify(&mut self, text: &str) -> ServerFrame {
        let frame = ServerFrame::read(text).unwrap();
        if !matches!(frame.message, ServerMessage::ConnectFail(_)) {
            let cut = cut(text).unwrap();
            assert!(self.seal.matches(&cut.pieces, cut.checksum), "S0-91: {text}");
        }
        self.count(&frame);
        frame
    }

    /// S0-55, S0-56: from one, in steps of one, unless a snapshot settles what lies between.
    fn count(&mut self, frame: &ServerFrame) {
        if let ServerMessage::ServiceRestarted(_) = frame.message {
            self.counts.clear();
        }
        let Some(seq) = frame.seq else { return };
        let count = self.counts.entry(frame.stream.clone()).or_default();
        if frame.recovered {
            count.recovered.insert(seq);
            return;
        }
        let settles = match &frame.message {
            ServerMessage::FullSnapshot(snapshot) => snapshot.settles,
            _ => None,
        };
        let mut due = count.last.next();
        while settles.is_none() && due != seq && count.recovered.contains(&due) {
            due = due.next();
        }
        assert!(settles.is_some() || seq == due, "{due} is due: {frame:?}");
        count.last = seq;
    }

    /// Forgets a stream, because it begins anew.
    pub(crate) fn forget(&mut self, stream: &StreamName) {
        self.counts.remove(&Some(stream.clone()));
    }

    /// Goes on where a former socket was.
    pub(crate) fn go_on_after(&mut self, last: Sequence) {
        self.counts.insert(None, Count { last, ..Count::default() });
    }
}

/// Far longer than anything takes, short enough to wait for in vain.
const PATIENCE: Duration = Duration::from_secs(10);
