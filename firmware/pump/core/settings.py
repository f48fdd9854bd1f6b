"""Settings that the station may change, with unit in the name: name (at most 16 bytes, it goes into SETTING records),
default, least, greatest. One text, because a table of tuples costs the board three times as much memory."""

TABLE = """big_advance_ml 500 50 9990
small_advance_ml 25 0 200
overrun_lock_ml 60 10 1000
no_flow_s 60 30 180
lift_s 60 10 300
grace_s 60 10 600
nozzle_off_s 180 30 3600
max_sale_ml 400000 1000 999000
max_sale_fen 300000 1000 999999
min_sale_fen 100 1 10000
pulser_stop 20 4 100
pulser_lock 6 1 100
leak_ml 100 20 1000
preflow_ml 50 5 500
max_sale_s 1800 60 7200
max_flow_ml_s 2500 200 5000
duty_required 0 0 1
white_only 0 0 1
list_age_h 168 0 8760
list_old_stop 0 0 1
language 0 0 2"""


class Settings:
    """One attribute per name."""

    def __init__(self):
        self.version = 0
        for line in TABLE.split("\n"):
            name, default = line.split()[:2]
            setattr(self, name, int(default))


def refuse(values):
    """ "" if values ({name: int}) may be set, otherwise the first reason why not, naming name and range."""
    for line in TABLE.split("\n"):
        name, _, least, greatest = line.split()
        value = values.get(name, int(least))
        if type(value) is not int or not int(least) <= value <= int(greatest):
            return name + " must be a whole number from " + least + " to " + greatest
    for name in values:
        if name + " " not in TABLE or not hasattr(Settings(), name):
            return "unknown setting " + str(name)
    return ""
