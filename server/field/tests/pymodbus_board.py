"""A Modbus board that nobody here wrote: `tcp` prints its port, `rtu PORT` serves a serial line."""

import asyncio
import struct
import sys

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNITS = (1, 16)


def words(kind, value):
    """The registers of a value as a board with the byte order ABCD has them."""
    packed = struct.pack(">" + kind, value)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def swapped(registers):
    return [(word >> 8) | (word & 0xFF) << 8 for word in registers]


def registers(unit):
    """What stands at which address; nothing stands at 5 to 7, nor from 22 on."""
    ratio = words("f", 12.5)
    return {
        0: [255, 0xFFCE, unit, 0x0200],
        4: words("H", 0x1234),
        8: ratio,
        10: ratio[::-1],
        12: swapped(ratio),
        14: swapped(ratio)[::-1],
        16: words("I", 4_000_000_000),
        18: words("i", -70_000),
        20: words("f", float("nan")),
    }


def device(unit):
    def block():
        return [
            SimData(address, values=values, datatype=DataType.REGISTERS)
            for address, values in registers(unit).items()
        ]

    coils = [SimData(0, values=[True, False, True], datatype=DataType.BITS)]
    # Unit 16 knows neither function 5 nor 6, only their long forms.
    async def refuse_short(function, *_):
        return ExcCodes.ILLEGAL_FUNCTION if function in (5, 6) else None

    inputs = [SimData(100, values=[False, True], datatype=DataType.BITS)]
    action = refuse_short if unit == 16 else None
    return SimDevice(unit, simdata=(coils, inputs, block(), block()), action=action)


async def main():
    devices = [device(unit) for unit in UNITS]
    if sys.argv[1] == "tcp":
        server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        print(server.transport.sockets[0].getsockname()[1], flush=True)
    else:
        server = ModbusSerialServer(
            devices, framer=FramerType.RTU, port=sys.argv[2], baudrate=19200
        )
        await server.serve_forever(background=True)
        print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
