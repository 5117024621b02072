"""NetworkManager and ModemManager as far as a client asks what the network costs.

Every line of standard input is a JSON object of what changes: a number under "Metered" or a text under
"PrimaryConnectionType" for NetworkManager, "modems" for ModemManager as a list of pairs of state and registration.
Every line is answered with "done" once it holds.
"""

import json
import os
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

MANAGER = "org.freedesktop.NetworkManager"
MODEMS = "org.freedesktop.ModemManager1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"


class NetworkManager(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(bus, "/org/freedesktop/NetworkManager")
        self.properties = {
            "Version": dbus.String("1.42.4"),
            "Metered": dbus.UInt32(4),
            "PrimaryConnectionType": dbus.String("802-3-ethernet"),
        }

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return dbus.Dictionary(self.properties if interface == MANAGER else {}, signature="sv")

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass

    def change(self, changed):
        self.properties.update(changed)
        self.PropertiesChanged(MANAGER, dbus.Dictionary(changed, signature="sv"), [])


class ModemManager(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(bus, "/org/freedesktop/ModemManager1")
        self.modems = []

    @dbus.service.method(OBJECTS, out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {
            dbus.ObjectPath(f"/org/freedesktop/ModemManager1/Modem/{index}"): {
                f"{MODEMS}.Modem": {"State": dbus.Int32(state)},
                f"{MODEMS}.Modem.Modem3gpp": {"RegistrationState": dbus.UInt32(registration)},
            }
            for index, (state, registration) in enumerate(self.modems)
        }


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
    names = [dbus.service.BusName(name, bus) for name in (MANAGER, MODEMS)]
    manager, modems = NetworkManager(bus), ModemManager(bus)
    loop = GLib.MainLoop()

    def take(_source, _condition):
        line = sys.stdin.readline()
        if line == "":
            loop.quit()
            return False
        changes = json.loads(line)
        modems.modems = changes.pop("modems", modems.modems)
        if changes:
            manager.change(
                {
                    name: dbus.UInt32(value) if isinstance(value, int) else dbus.String(value)
                    for name, value in changes.items()
                }
            )
        print("done", flush=True)
        return True

    GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, take)
    print("done", flush=True)
    loop.run()
    del names


main()
