import { PorchlightError } from '@porchlight/proto/errors.ts'
import { nodeEnvironment } from '../node-environment.ts'

export interface UnitFacts {
  /** Absolute path of Node. */
  node: string
  /** Absolute path of `device/main.ts`. */
  main: string
  /** Absolute path of the configuration file. */
  config: string
  user: string
  /** Groups of this machine that own sound, GPIO and camera devices. */
  groups: readonly string[]
  /** Name under /var/lib, also the data directory. */
  state: string
}

/** A word of ExecStart (systemd.service(5), "Command lines"): quoted, with % and $ taken literally. */
function word(text: string): string {
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code < 32 || code === 127) throw new PorchlightError('config_invalid', 'a path holds a control character')
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
}

/**
 * The systemd unit of the agent. It may write its state directory and nothing else, and reaches what a doorbell needs: the
 * network, sound and GPIO devices, and the camera of a Pi.
 */
export function unitText(facts: UnitFacts): string {
  const command = [facts.node, facts.main, 'run', '--config', facts.config, '--dataDir', `/var/lib/${facts.state}`]
  const environment = Object.entries(nodeEnvironment(`/var/cache/${facts.state}`)).map((pair) => pair.join('='))
  return `[Unit]
Description=Porchlight device agent
Wants=network-online.target
After=network-online.target time-sync.target sound.target

[Service]
Type=exec
ExecStart=${command.map(word).join(' ')}
User=${facts.user}
Group=${facts.user}
${facts.groups.length > 0 ? `SupplementaryGroups=${facts.groups.join(' ')}\n` : ''}StateDirectory=${facts.state}
StateDirectoryMode=0700
CacheDirectory=${facts.state}
CacheDirectoryMode=0700
Environment=${environment.join(' ')}
UMask=0077
Restart=always
RestartSec=2
TimeoutStopSec=15
# 2: the configuration or a flag is wrong; trying again would not help.
RestartPreventExitStatus=2

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
DevicePolicy=closed
DeviceAllow=char-alsa rw
DeviceAllow=char-gpiochip rw
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
# Node compiles at run time, so MemoryDenyWriteExecute cannot be on.
MemoryMax=1G
TasksMax=128

[Install]
WantedBy=multi-user.target
`
}
