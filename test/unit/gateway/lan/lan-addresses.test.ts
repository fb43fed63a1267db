import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { freeName } from '../../../../gateway/lan/host-name.ts'
import { isLanAddress, lanAddresses } from '../../../../gateway/lan/lan-addresses.ts'

const at = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  family: 'IPv4',
  internal,
  mac: '02:00:00:00:00:01',
  netmask: '255.255.255.0',
  cidr: null,
})

test('addresses of the house come first; those of containers, tunnels and the internet are none', () => {
  const interfaces = {
    lo: [at('127.0.0.1', true)],
    docker0: [at('172.17.0.1')],
    wg0: [at('10.8.0.2')],
    eth1: [at('169.254.7.7')],
    eth0: [at('203.0.113.9'), at('192.168.1.7')],
  }
  expect(lanAddresses(interfaces)).toEqual(['192.168.1.7', '169.254.7.7'])
  expect(lanAddresses({})).toEqual([])
})

// RFC 1918 §3, RFC 3927 §2.1
test.each([
  ['10.0.0.1', true],
  ['172.16.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['192.168.255.1', true],
  ['192.169.0.1', false],
  ['169.254.1.1', true],
  ['8.8.8.8', false],
  ['fe80::1', false],
])('%s is an address of a house: %s', (address, expected) => {
  expect(isLanAddress(address)).toBe(expected)
})

test('a name that another Porchlight has is not taken; our own echo is nobody else', () => {
  const own = ['192.168.1.7']
  expect(freeName([], own)).toBe('porchlight.local')
  expect(freeName([{ host: 'porchlight.local', addresses: ['192.168.1.7'] }], own)).toBe('porchlight.local')
  const other = { host: 'Porchlight.local.', addresses: ['192.168.1.8'] }
  expect(freeName([other], own)).toBe('porchlight-2.local')
  expect(freeName([other, { host: 'porchlight-2.local', addresses: [] }], own)).toBe('porchlight-3.local')
})
