// The host's own networks, which count as private.
import { type AddressRange, mergeRanges, parseNetwork } from '../../addresses/ipv4.ts';
import { attachedNetworks } from '../../host/linux/attached-networks.ts';

/** Networks attached to the host, without the uplink. */
export function localNetworks(): AddressRange[] {
  return mergeRanges(
    attachedNetworks()
      .filter(({ uplink }) => !uplink)
      .flatMap(({ cidr }) => parseNetwork(cidr) ?? [])
      .filter(({ from, to }) => to > from),
  );
}
