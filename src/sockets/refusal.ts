import { printAddress, type Address } from '../core/address.ts';
import { EmperorError } from '../errors.ts';

/** Whose address it is that cannot be opened. */
export interface Applicant {
  readonly name: string;
  readonly address: Address;
}

/** @param holder who has it, in words */
export function inUse({ name, address }: Applicant, holder: string): EmperorError {
  const hint = holder === `vassal "${name}"` ? 'name each address once' : holder.startsWith('vassal ') ? 'give one of them another address' : 'end that program, or choose another address';
  return new EmperorError('E_ADDRESS_IN_USE', `cannot listen on ${printAddress(address)} for vassal "${name}": ${holder} has it; ${hint}`);
}

/** @param why the reason, and a hint behind a semicolon */
export function refusal({ name, address }: Applicant, why: string, cause?: unknown): EmperorError {
  return new EmperorError('E_ADDRESS', `cannot listen on ${printAddress(address)} for vassal "${name}": ${why}`, { cause });
}

/** What a failed system call means for an address, with a hint where there is one. @param errno name of the error, errno(3) */
export function meaningOf(errno: string, address: Address): string {
  switch (errno) {
    case 'EADDRNOTAVAIL':
      return 'this host has no such address; see "ip address"';
    case 'EAFNOSUPPORT':
      return 'this host has no IPv6; choose an IPv4 address';
    case 'EACCES':
    case 'EPERM':
      return address.kind === 'tcp'
        ? `${errno}; a port as low as this is for root, or with CAP_NET_BIND_SERVICE; choose one from 1024 on`
        : `${errno}; the emperor may not write to that folder, or not give the socket to that user; run it as root, or choose another folder, user or group`;
    case 'EINVAL':
      return address.kind === 'tcp' && address.host.startsWith('fe80:') ? 'a link-local address means nothing without its network; choose another one' : errno;
    case 'ENOENT':
      return 'its folder does not exist; make it, for example by tmpfiles.d(5)';
    case 'ENOTDIR':
      return 'what should be its folder is none';
    case 'EROFS':
      return 'that file system cannot be written to';
    case 'ENAMETOOLONG':
      return 'its path is too long; the kernel takes 107 bytes, and the emperor needs a few of them';
    default:
      return errno;
  }
}
