import { defaultTimeouts, type EngineSettings } from './engine.ts';
import { given } from './given.ts';
import { defaultLimits, type EdgeLimits } from './limits.ts';
import type { EdgeConfig } from './options.ts';
import { defaultPolicySettings } from './policy/policy-settings.ts';
import { defaultTlsSettings } from './tls/tls-settings.ts';

/** What one engine is told: of limits that are for all of them together, its part. */
export function engineSettings(config: EdgeConfig, standalone: boolean): EngineSettings {
  const httpsPort = config.httpsRedirectPort ?? 443;
  const engines = Math.max(1, config.workers ?? 0);
  return {
    publicPorts: { http: config.httpPublicPort ?? 80, https: httpsPort },
    limits: shareOf({ ...defaultLimits, ...given(config.limits) }, engines),
    timeouts: { ...defaultTimeouts, ...given(config.timeouts) },
    tls: { ...defaultTlsSettings, ...given(config.tls) },
    policy: {
      ...defaultPolicySettings,
      limitShare: 1 / engines,
      // Not without what is undefined: that stands for none.
      ...config.policy,
      httpsPort: config.httpsListen === undefined ? undefined : httpsPort,
    },
    proxyProtocol: config.proxyProtocol ?? false,
    standalone,
  };
}

function shareOf(limits: EdgeLimits, engines: number): EdgeLimits {
  const part = (limit: number): number => Math.ceil(limit / engines);
  return {
    ...limits,
    connections: part(limits.connections),
    connectionsPerAddress: part(limits.connectionsPerAddress),
    handshakesPerAddress: part(limits.handshakesPerAddress),
  };
}
