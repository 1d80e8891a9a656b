// The host's own networks, which count as private ones.
import { attachedNetworks } from '../../host/linux/attached-networks.ts';
import { type AddressRange, merged, parseNetwork } from '../../network/ipv4.ts';

/** Without the way to the internet, and without the bridge's own network, which is never open. */
export function localNetworks(): AddressRange[] {
  return merged(
    attachedNetworks()
      .filter(({ uplink }) => !uplink)
      .flatMap(({ cidr }) => parseNetwork(cidr) ?? [])
      .filter(({ from, to }) => to > from),
  );
}
