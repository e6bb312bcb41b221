/* vnet-hook --selftest: would libvirt run this hook, and would the agent answer it? Asks libvirt nothing. */
#ifndef AGENT_HOOK_SELFTEST_H
#define AGENT_HOOK_SELFTEST_H 1

/* Prints one line for each thing looked at. The exit status: 0 if all is well. */
int hook_selftest(const char *program, const char *socket);

#endif
