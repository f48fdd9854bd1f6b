"""`pumpside provision`: identity, keys and broker credential of a pump, as files to be flashed."""

from typing import Annotated

import typer

from station.forecourt.provision import BrokerAddress, Nozzle, provision
from station.platform.credentials import Credentials, credentials_path
from station.platform.pki import PkiError
from station.platform.secrets import Secrets, SecretsError
from station.platform.settings import SettingsError, load
from station.platform.topics import device_user

app = typer.Typer()


@app.command("provision")
def command(
    pump: Annotated[str, typer.Argument(help="设置中的油机名 · name of the pump in the settings, e.g. p1")],
    broker_host: Annotated[str, typer.Option(help="油机看到的代理地址 · the broker as the pump sees it")] = "",
    revoke: Annotated[
        bool, typer.Option("--revoke", help="吊销：此板不得再联机 · the board may not come on the line again")
    ] = False,
) -> None:
    """为油机生成身份、密钥和代理凭证 · Make identity, keys and broker credential of a pump.

    例 Example: pumpside provision p1 --broker-host 192.168.1.10
    """
    try:
        settings = load()
        known = {one.pump: one for one in settings.pumps}
        if pump not in known:
            raise ValueError(f"设置中没有油机 · no such pump in the settings: {pump} ({', '.join(known)})")
        if revoke:
            Credentials(credentials_path(settings.data_dir)).remove(device_user(settings.station, pump))
            typer.echo(f"已吊销，下次连接即被拒绝 · revoked, refused at its next connection: {pump}")
            return
        directory = provision(
            settings.station,
            pump,
            device=settings.device_id(known[pump]),
            data_dir=settings.data_dir,
            secrets=Secrets.load(settings.secrets_path),
            broker=BrokerAddress(broker_host or settings.broker_host, settings.broker_port, settings.broker_name),
            mode=known[pump].mode,
            display=known[pump].display,
            receipt_url=settings.receipt_url,
            nozzles=tuple(Nozzle(n.grade, n.pulses_per_l, n.meter) for n in known[pump].nozzles),
            issuer=settings.issuer,
        )
    except (SettingsError, SecretsError, PkiError, ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已生成 · made: {directory}/identity.json, {directory}/ca.der")
