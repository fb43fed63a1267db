import { describe, expect, it } from 'vitest'
import { install, type Machine, uninstall } from '../../../../device/systemd/installer.ts'
import { unitText } from '../../../../device/systemd/unit.ts'

const facts = {
  node: '/opt/node 24/bin/node',
  main: '/srv/100%/main.ts',
  config: '/etc/p$orch.json',
  dataDir: '/home/x/data',
}

class FakeMachine implements Machine {
  isRoot = true
  readonly ran: string[] = []
  readonly files = new Map<string, string>()
  failing = /^(getent group gpio|id -u porchlight-device)$/

  async run(command: string, args: readonly string[]): Promise<string> {
    const line = [command, ...args].join(' ')
    this.ran.push(line)
    if (this.failing.test(line)) throw new Error('exit 2')
    if (command === 'useradd') this.failing = /^getent group gpio$/
    return '997\n'
  }
  async write(path: string, text: string): Promise<void> {
    this.files.set(path, text)
  }
  async remove(path: string): Promise<void> {
    this.files.delete(path)
  }
  async exists(path: string): Promise<boolean> {
    return this.files.has(path)
  }
  async copy(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from) ?? '')
  }
  async makeDir(): Promise<void> {}
}

describe('unit', () => {
  it('quotes its words as systemd reads them', () => {
    const text = unitText({ ...facts, user: 'porch', state: 'porch', groups: ['audio'] })
    const exec = '"/opt/node 24/bin/node" "/srv/100%%/main.ts" "run" "--config" "/etc/p$$orch.json"'
    expect(text).toContain(`ExecStart=${exec} "--dataDir" "/var/lib/porch"\n`)
    expect(text).toContain('SupplementaryGroups=audio\n')
    expect(unitText({ ...facts, user: 'porch', state: 'porch', groups: [] })).not.toContain('SupplementaryGroups')
    expect(text).toMatch(/^Environment=.*NODE_COMPILE_CACHE=\/var\/cache\/porch$/m)
  })

  it('takes no line breaks', () => {
    const bad = { ...facts, config: '/etc/x\nUser=root', user: 'porch', state: 'porch', groups: [] }
    expect(() => unitText(bad)).toThrow(expect.objectContaining({ code: 'config_invalid' }))
  })
})

describe('install', () => {
  it('makes user, key, unit and service, and takes them away again', async () => {
    const machine = new FakeMachine()
    machine.files.set('/home/x/data/device.key', 'key')
    const said: string[] = []
    await install(machine, facts, (line) => said.push(line))
    expect(machine.ran.filter((line) => /useradd|systemctl/.test(line))).toEqual([
      'useradd --system --home-dir /var/lib/porchlight-device --shell /usr/sbin/nologin porchlight-device',
      'systemctl daemon-reload',
      'systemctl enable porchlight-device',
      'systemctl restart porchlight-device',
    ])
    const unit = machine.files.get('/etc/systemd/system/porchlight-device.service')
    expect(unit).toContain('SupplementaryGroups=audio video\n')
    expect(machine.files.get('/var/lib/porchlight-device/device.key')).toBe('key')

    machine.files.set('/home/x/data/device.key', 'another')
    await install(machine, facts, () => undefined)
    expect(machine.ran.filter((line) => line.startsWith('useradd'))).toHaveLength(1)
    expect(machine.files.get('/var/lib/porchlight-device/device.key')).toBe('key')

    await uninstall(machine, () => undefined)
    expect(machine.files.has('/etc/systemd/system/porchlight-device.service')).toBe(false)
    await uninstall(machine, (line) => expect(line).toBe('not installed'))
  })

  it('wants root, and names the step that failed', async () => {
    const machine = new FakeMachine()
    machine.isRoot = false
    await expect(install(machine, facts, () => undefined)).rejects.toMatchObject({ code: 'forbidden' })
    machine.isRoot = true
    machine.failing = /daemon-reload|getent/
    await expect(install(machine, facts, () => undefined)).rejects.toMatchObject({ detail: 'systemctl: exit 2' })
  })
})
