/** The Service, one a namespace, that leads to the solver listener, and the EndpointSlice or Endpoints behind it. */
export const solverServiceName = 'cm-acme-http-solver';

/** The port of the solver Service, whatever port the listener has: Ingress controllers and firewalls know it. */
export const solverPortNumber = 8089;
