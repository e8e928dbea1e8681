use super::*;

const REGISTER: Mapping = Mapping {
    area: Area::HoldingRegister,
    address: 5,
    data_type: DataType::Uint16,
    byte_order: ByteOrder::Ab,
    bit: None,
    scale: 0.1,
    offset: 0.0,
    poll: None,
    decimals: 1,
};

#[test]
fn mappings_that_no_board_can_hold_are_refused() {
    let bit = Mapping { data_type: DataType::Bit, bit: Some(3), ..REGISTER };
    let coil = Mapping { area: Area::Coil, bit: None, ..bit.clone() };
    let long = Mapping { data_type: DataType::Float32, ..REGISTER };
    let table = [
        (REGISTER, Ok(())),
        (bit.clone(), Ok(())),
        (coil.clone(), Ok(())),
        (
            Mapping { data_type: DataType::Int32, ..coil.clone() },
            Err(MappingError::NumberInBits(Area::Coil)),
        ),
        (Mapping { bit: Some(0), ..coil }, Err(MappingError::BitOfBit(Area::Coil))),
        (Mapping { bit: None, ..bit.clone() }, Err(MappingError::WhichBit)),
        (Mapping { bit: Some(0), ..REGISTER }, Err(MappingError::BitOfNumber)),
        (Mapping { bit: Some(16), ..bit }, Err(MappingError::HighBit(16))),
        (Mapping { address: 65_534, ..long.clone() }, Ok(())),
        (Mapping { address: 65_535, ..long }, Err(MappingError::BeyondEnd(65_535))),
        (Mapping { scale: 0.0, ..REGISTER }, Err(MappingError::Scale { scale: 0.0, offset: 0.0 })),
    ];
    for (mapping, expected) in table {
        assert_eq!(mapping.check(), expected, "{mapping:?}");
    }
}

#[test]
fn a_channel_tells_all_its_mistakes_at_once() {
    let config = ChannelConfig {
        poll_interval: Duration::from_millis(99),
        timeout: Some(Duration::from_millis(49)),
        ..channel(Mapping { scale: f64::NAN, ..REGISTER })
    };
    let mistakes = config.mistakes();
    assert!(matches!(
        mistakes.as_slice(),
        [
            RangeError::PollInterval(_),
            RangeError::Timeout(_),
            RangeError::Mapping { point: 0, mistake: MappingError::Scale { .. }, .. }
        ]
    ));
    assert_eq!(channel(REGISTER).mistakes(), []);
}

#[test]
fn a_serial_line_has_its_own_ranges() {
    let line = |baud_rate, data_bits, stop_bits| Transport::Rtu {
        path: "/dev/ttyS0".into(),
        baud_rate,
        data_bits,
        stop_bits,
        parity: Parity::Even,
    };
    let wrong = [RangeError::BaudRate(0), RangeError::DataBits(9), RangeError::StopBits(0)];
    for (transport, expected) in [(line(9600, 8, 1), vec![]), (line(0, 9, 0), wrong.to_vec())] {
        let config = ChannelConfig { transport, ..channel(REGISTER) };
        assert_eq!(config.mistakes(), expected, "{:?}", config.transport);
    }
}

#[test]
fn the_time_out_follows_the_poll_interval() {
    let config = channel(REGISTER);
    let table = [(100, 50), (200, 100), (1_000, 200), (10_000, 200), (10, 50)];
    for (interval, expected) in table {
        let timeout = config.timeout_at(Duration::from_millis(interval));
        assert_eq!(timeout, Duration::from_millis(expected), "at {interval} ms");
    }
    let patient = ChannelConfig { timeout: Some(Duration::from_secs(2)), ..config };
    assert_eq!(patient.timeout_at(Duration::from_millis(100)), Duration::from_secs(2));
}

#[test]
fn data_types_and_byte_orders_are_read_in_any_case() {
    assert_eq!("bool".parse(), Ok(DataType::Bit));
    assert_eq!("FLOAT32".parse(), Ok(DataType::Float32));
    assert_eq!("cdab".parse(), Ok(ByteOrder::Cdab));
    assert_eq!("double".parse::<DataType>(), Err(WordError::DataType("double".into())));
    assert_eq!("ACBD".parse::<ByteOrder>(), Err(WordError::ByteOrder("ACBD".into())));
}

fn channel(mapping: Mapping) -> ChannelConfig {
    ChannelConfig {
        id: ChannelId(1),
        transport: Transport::Tcp { host: "localhost".into(), port: 502 },
        poll_interval: USUAL_POLL,
        timeout: None,
        targets: vec![Target {
            device: "board-1".parse().unwrap(),
            unit: 1,
            mappings: vec![mapping],
            feedback: BTreeMap::new(),
        }],
    }
}
