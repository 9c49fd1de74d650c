import type { PortMapping } from '../../domain/container.ts';
import { isObject, wordOf, type Json, type JsonObject } from '../../domain/json.ts';

/** One for each address that a port of the host is bound to, as the list of containers has them. */
export function readPorts(value: Json | undefined): PortMapping[] {
  const ports = (Array.isArray(value) ? value.slice(0, MAX_PORTS).filter(isObject) : []).flatMap(readPort);
  return [...new Map(ports.map((port) => [JSON.stringify(port), port])).values()];
}

const MAX_PORTS = 1000;

function readPort(port: JsonObject): PortMapping[] {
  const { PrivatePort: containerPort, PublicPort: hostPort } = port;
  if (!isPort(containerPort)) return [];
  return [
    {
      containerPort,
      protocol: wordOf(port['Type']) ?? 'tcp',
      hostIp: wordOf(port['IP']),
      hostPort: isPort(hostPort) ? hostPort : null,
    },
  ];
}

function isPort(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65535;
}
