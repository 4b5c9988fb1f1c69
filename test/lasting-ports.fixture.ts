import { FreePorts } from "../src/local/free-port.ts";

/** Below the ports that Linux gives to connections (`ip_local_port_range`) and above those that programs like to have. */
const range = { first: 10_240, count: 22_528 };

/** Ports that no connection takes while who listens there is stopped for a moment. */
export function lastingPorts(): FreePorts {
  return new FreePorts([], () => range.first + Math.floor(Math.random() * range.count));
}
