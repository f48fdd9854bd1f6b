"""Every pin of the board in one place (docs/wiring.md). ESP32, 4 MB, no PSRAM; GPIO numbers.

One hose flows at a time, so motor and valve stages are wired once per fuelling point and a select relay per nozzle
leads them to its valves: a valve is powered only if permit AND select AND stage are on. Outputs sit on pins that are
low or floating while the chip starts (not 0, 5, 14, 15) and have pull-downs.
"""

PERMIT = 4
MOTOR = 13
VALVE_BIG = 18
VALVE_SMALL = 19
SELECT = (23, 27, 2, 12)
OUTPUTS = (4, 13, 18, 19, 23, 27, 2, 12)  # boot.py repeats them, a test holds both together

PULSER_A = (35, 39, 33, 26)
PULSER_B = (36, 32, 25, 14)

READER_UART, READER_TX, READER_RX = 2, 17, 16
READER_BAUD = 115200

I2C_SCL, I2C_SDA, I2C_HZ = 22, 21, 100000  # the PCF8574 allows 100 kHz
LCD_ADDRESS = 0x27
EXPANDER_ADDRESS = 0x20  # MCP23017: port A keypad (rows 0..3, columns 4..7), port B switches
SWITCH_NOZZLE = 0  # port B bits 0..3, closed (0) while the nozzle is lifted: a broken wire reads as hung up
SWITCH_TAMPER = 4  # closed (0) while the cover is on
SWITCH_SEAL = 5  # closed (0) while the seal is in place

ESTOP = 5  # opener to ground: pressed or broken reads 1; it also cuts the permit relay by itself
BUZZER = 15
SUPPLY_ADC = 34
