"""A Modbus master that nobody here wrote: `tcp PORT` or `rtu PORT`; a line is a request, and answered.

    UNIT FUNCTION ADDRESS COUNT           a read by function 1 to 4
    UNIT FUNCTION ADDRESS VALUE ...       a write by function 5, 6, 15 or 16
    UNIT raw FUNCTION HEX                 anything
"""

import sys

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU


class Raw(ModbusPDU):
    def __init__(self, unit, function, data):
        super().__init__(dev_id=unit)
        self.function_code = function
        self.data = data

    def encode(self):
        return self.data


def ask(client, words):
    unit, function = int(words[0]), words[1]
    if function == "raw":
        data = bytes.fromhex(words[3]) if len(words) > 3 else b""
        return client.execute(False, Raw(unit, int(words[2]), data))
    address, values = int(words[2], 0), [int(word, 0) for word in words[3:]]
    to = {"device_id": unit, "no_response_expected": unit == 0}
    match function:
        case "1":
            return client.read_coils(address, count=values[0], **to)
        case "2":
            return client.read_discrete_inputs(address, count=values[0], **to)
        case "3":
            return client.read_holding_registers(address, count=values[0], **to)
        case "4":
            return client.read_input_registers(address, count=values[0], **to)
        case "5":
            return client.write_coil(address, bool(values[0]), **to)
        case "6":
            return client.write_register(address, values[0], **to)
        case "15":
            return client.write_coils(address, [bool(value) for value in values], **to)
        case "16":
            return client.write_registers(address, values, **to)


def told(words, answer):
    if int(words[0]) == 0:
        return "said"
    if answer.isError():
        return f"exception {answer.exception_code}"
    if words[1] in ("1", "2"):
        return " ".join(str(int(bit)) for bit in answer.bits[: int(words[3])])
    if words[1] in ("3", "4"):
        return " ".join(str(register) for register in answer.registers)
    return "done"


how, where = sys.argv[1:]
if how == "tcp":
    client = ModbusTcpClient("127.0.0.1", port=int(where), timeout=2, retries=0)
else:
    client = ModbusSerialClient(where, baudrate=9600, timeout=2, retries=0)
client.connect()
print("ready", flush=True)
for line in sys.stdin:
    words = line.split()
    try:
        print(told(words, ask(client, words)), flush=True)
    except ModbusException:
        print("silence", flush=True)
        client.close()
        client.connect()
