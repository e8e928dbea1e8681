use super::*;

const NOW: Duration = Duration::from_secs(30);

#[test]
fn the_map_holds_what_the_plant_measured() {
    let (plant, memory) = (Plant::new(1), Memory::new(Plant::new(1)));
    let measured = plant.at(NOW);
    let registers = memory.registers(0, 20, NOW).unwrap();
    assert_eq!(f64::from(registers[5]), (measured.rail_potential * 10.0).round());
    let polarisation = f64::from(registers[6].cast_signed());
    assert_eq!(polarisation, (measured.polarisation * 10.0).round());
    assert_eq!(registers[4], measured.faults);
    let ambient = memory.registers(0x0042, 2, NOW).unwrap();
    let bits = u32::from(ambient[0]) << 16 | u32::from(ambient[1]);
    assert_eq!(f32::from_bits(bits), measured.ambient as f32);
}

#[test]
fn inputs_and_outputs_are_bits_as_well_as_words() {
    let memory = Memory::new(Plant::new(1));
    for (area, address) in [(Area::DiscreteInput, 2), (Area::Coil, 3)] {
        let word = memory.registers(address, 1, NOW).unwrap()[0];
        let bits = memory.bits(area, 0, 16, NOW).unwrap();
        let joined = bits.iter().rev().fold(0, |word, bit| word << 1 | u16::from(*bit));
        assert_eq!(joined, word, "{area:?}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut memory = Memory::new(Plant::new(1));
    assert_eq!(memory.write_registers(0x2200, &[7, 8]), Ok(()));
    assert_eq!(memory.registers(0x2200, 3, NOW), Ok(vec![7, 8, 80]));
    assert_eq!(memory.write_coils(3, &[true]), Ok(()));
    assert_eq!(memory.bits(Area::Coil, 3, 1, NOW), Ok(vec![true]));
}

#[test]
fn it_is_switched_on_and_off_from_afar() {
    // S0-17
    let mut memory = Memory::new(Plant::new(1));
    let calm = (0..60).map(Duration::from_secs).find(|at| Plant::new(1).at(*at).faults == 0);
    let calm = calm.unwrap();
    for (coil, mode, running) in [(0x0120, 3, 0), (0x0121, 4, 1), (0x0120, 3, 0), (0x0122, 0, 1)] {
        assert_eq!(memory.write_coils(coil, &[true]), Ok(()));
        assert_eq!(memory.registers(WORK_MODE, 1, calm), Ok(vec![mode]), "{coil:#x}");
        assert_eq!(memory.registers(0, 1, calm).unwrap()[0] & 1, running, "{coil:#x}");
        let coils = memory.bits(Area::Coil, 0x0120, 3, calm).unwrap();
        let on: Vec<_> = (0x0120..).zip(coils).filter(|(_, on)| *on).collect();
        assert_eq!(on, [(coil, true)]);
    }
    assert_eq!(memory.write_registers(WORK_MODE, &[1]), Ok(()));
    assert_eq!(memory.registers(0, 1, calm).unwrap()[0] & 1, 0, "off by hand");
}

#[test]
fn active_faults_are_reset() {
    // S0-20
    let mut memory = Memory::new(Plant::new(1));
    let faulty = |at: &Duration| Plant::new(1).at(*at).faults != 0;
    let at = (0..100).map(Duration::from_secs).find(faulty).unwrap();
    assert_ne!(memory.registers(4, 1, at), Ok(vec![0]));
    memory.pass(at);
    assert_eq!(memory.write_coils(RESET, &[true]), Ok(()));
    assert_eq!(memory.registers(4, 1, at), Ok(vec![0]));
    assert_eq!(memory.registers(0, 1, at).unwrap()[0] & 1 << 5, 0);
}

#[test]
fn the_temperature_threshold_decides_what_is_hot() {
    // S0-18
    let mut memory = Memory::new(Plant::new(1));
    assert_eq!(memory.registers(HOT, 1, NOW), Ok(vec![850]));
    for (threshold, hot) in [(-400, 1), (1200, 0)] {
        assert_eq!(memory.write_registers(HOT, &[i16::cast_unsigned(threshold)]), Ok(()));
        let status = memory.registers(0, 1, NOW).unwrap()[0];
        assert_eq!(status >> 2 & 1, hot, "{threshold}");
    }
}

#[test]
fn the_clock_runs_on_from_what_was_written() {
    let mut memory = Memory::new(Plant::new(1));
    let clock = |memory: &Memory, at| memory.registers(CLOCK_FIRST, 4, at).unwrap();
    assert_eq!(clock(&memory, NOW), [0, 30 << 8, 1, 0x01D0], "30 s after its beginning");
    memory.pass(NOW);
    let evening = [250, 58 << 8 | 59, 23 << 8 | 31, 12 << 8 | 0xEA];
    assert_eq!(memory.write_registers(CLOCK_FIRST, &evening), Ok(()));
    assert_eq!(clock(&memory, NOW), evening);
    let later = NOW + Duration::from_secs(2);
    assert_eq!(clock(&memory, later), [250, 0, 1, 1 << 8 | 0xEB]);
    assert_eq!(memory.write_registers(0x3003, &[13 << 8]), Ok(()));
    assert_eq!(clock(&memory, NOW), evening, "there is no such month");
}

#[test]
fn what_is_not_there_is_neither_read_nor_written() {
    let mut memory = Memory::new(Plant::new(1));
    for (start, count) in [(0x0014, 1), (0x0010, 5), (0xFFFF, 2), (0, 0)] {
        assert_eq!(memory.registers(start, count, NOW), Err(NoSuchAddress), "{start}+{count}");
    }
    assert_eq!(memory.bits(Area::DiscreteInput, 0x0101, 1, NOW), Err(NoSuchAddress));
    assert_eq!(memory.write_registers(0x0005, &[1]), Err(NoSuchAddress));
    assert_eq!(memory.write_registers(0x2237, &[1, 1]), Err(NoSuchAddress));
    assert_eq!(memory.registers(0x2237, 1, NOW), Ok(vec![0]), "none of the two was written");
}
