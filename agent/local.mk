# Everything but main() is a library, so that unit tests link it. vnet-hook shares only what it says to the agent.
noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	agent/agent.c agent/agent.h \
	agent/agent_hook.c \
	agent/agent_options.c agent/agent_options.h \
	agent/answers.c agent/answers.h \
	agent/api_client.c agent/api_client.h \
	agent/conntrack.c agent/conntrack.h \
	agent/conntrack_counts.c agent/conntrack_counts.h \
	agent/conntrack_line.c agent/conntrack_line.h \
	agent/conntrack_reply.c agent/conntrack_reply.h \
	agent/domain_xml.c agent/domain_xml.h \
	agent/domains.c agent/domains.h \
	agent/hook_message.c agent/hook_message.h \
	agent/hook_server.c agent/hook_server.h \
	agent/instructions.c agent/instructions.h \
	agent/join.c agent/join.h \
	agent/join_fetch.c agent/join_fetch.h \
	agent/join_ovs.c agent/join_ovs.h \
	agent/link.c agent/link.h agent/link_private.h \
	agent/link_report.c \
	agent/local_host.c agent/local_host.h \
	agent/numbers.c agent/numbers.h \
	agent/numbers_file.c agent/numbers_file.h \
	agent/since.c agent/since.h \
	agent/since_file.c agent/since_file.h \
	agent/state_file.c agent/state_file.h \
	agent/underlay.c agent/underlay.h \
	agent/unix_connect.c agent/unix_connect.h \
	agent/virt.c agent/virt.h agent/virt_private.h \
	agent/virt_job.c \
	agent/virt_loop.c agent/virt_loop.h \
	agent/virt_read.c agent/virt_read.h \
	agent/worker.c agent/worker.h

sbin_PROGRAMS += vnet-agent
vnet_agent_SOURCES = agent/vnet-agent.c
vnet_agent_LDADD = $(AGENT_LIBS)

# In sbin, not libexec: AppArmor lets a confined libvirtd (Debian, Ubuntu) run only what lies where commands do.
sbin_PROGRAMS += vnet-hook
vnet_hook_SOURCES = agent/vnet-hook.c agent/hook_selftest.c agent/hook_selftest.h agent/hook_message.c
vnet_hook_LDADD = libbase.a $(JANSSON_LIBS)
