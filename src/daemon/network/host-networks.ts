// The host's own networks, which count as private ones.
import { type AddressRange, merged, parseNetwork } from '../../addresses/ipv4.ts';
import { attachedNetworks } from '../../host/linux/attached-networks.ts';

/** Without the way to the internet, and without the bridge's own network, which is never open. */
export function localNetworks(): AddressRange[] {
  return merged(
    attachedNetworks()
      .filter(({ uplink }) => !uplink)
      .flatMap(({ cidr }) => parseNetwork(cidr) ?? [])
      .filter(({ from, to }) => to > from),
  );
}
