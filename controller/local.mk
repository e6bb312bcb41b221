noinst_LIBRARIES += libcontroller.a
libcontroller_a_SOURCES =
libcontroller_a_SOURCES += \
	controller/api/agent.c \
	controller/api/api.h \
	controller/api/changes.c \
	controller/api/clients.c \
	controller/api/connection.c controller/api/connection.h \
	controller/api/events.c \
	controller/api/health.c \
	controller/api/http.c controller/api/http.h \
	controller/api/http_head.c controller/api/http_head.h \
	controller/api/idempotency.c controller/api/idempotency.h \
	controller/api/insight.c \
	controller/api/join.c \
	controller/api/instances.c \
	controller/api/orphans.c \
	controller/api/lookup.c controller/api/lookup.h \
	controller/api/page.c controller/api/page.h \
	controller/api/resources.c \
	controller/api/route.c controller/api/route.h \
	controller/api/show.c \
	controller/api/transactions.c \
	controller/api/waits.c \
	controller/announce.c controller/announce.h \
	controller/announcements.c \
	controller/check/check.c controller/check/check.h \
	controller/check/check_change.c \
	controller/check/check_columns.c \
	controller/check/check_drain.c \
	controller/check/check_flush.c \
	controller/check/check_ears.c \
	controller/check/check_probe.c \
	controller/check/check_record.c controller/check/check_record.h \
	controller/check/checks.c controller/check/checks.h controller/check/checks_private.h \
	controller/chores.c controller/chores.h \
	controller/columns.c controller/columns.h \
	controller/commit.c controller/commit.h \
	controller/controller.c controller/controller.h \
	controller/counters.c controller/counters.h \
	controller/exhaustion.c \
	controller/feed.c controller/feed.h \
	controller/feed_stream.c controller/feed_stream.h \
	controller/feed_text.c controller/feed_text.h \
	controller/feed_watch.c controller/feed_watch.h \
	controller/gateway_probe.c controller/gateway_probe.h \
	controller/hits/hit_count.c controller/hits/hit_count.h \
	controller/hits/hit_reading.c controller/hits/hit_reading.h controller/hits/hit_source.c controller/hits/hit_source.h \
	controller/hits/rule_hits.c controller/hits/rule_hits.h \
	controller/host/binding.c controller/host/binding.h controller/host/binding_private.h \
	controller/host/claim.c controller/host/claim.h \
	controller/host/election.c \
	controller/host/facts_text.c controller/host/facts_text.h \
	controller/host/gateway_liveness.c controller/host/gateway_liveness.h \
	controller/host/handover.c controller/host/handover.h \
	controller/host/held_zones.c controller/host/held_zones.h \
	controller/host/holdback.c controller/host/holdback.h \
	controller/host/host.h \
	controller/host/host_compile.c \
	controller/host/host_error.c \
	controller/host/host_facts.c \
	controller/host/host_links.c controller/host/host_links.h \
	controller/host/host_liveness.c \
	controller/host/host_uplinks.c \
	controller/host/host_openflow.c \
	controller/host/host_ovsdb.c \
	controller/host/host_peers.c controller/host/host_peers.h \
	controller/host/host_reach.c controller/host/host_reach.h \
	controller/host/host_zones.c \
	controller/host/lost_zones.c \
	controller/host/hosts.c \
	controller/host/iface_name.c controller/host/iface_name.h \
	controller/host/port_place.c \
	controller/host/port_twin.c \
	controller/host/trails.c controller/host/trails.h \
	controller/host/zone_table.c controller/host/zone_table.h \
	controller/instance/agents.c controller/instance/agents.h \
	controller/instance/counting.c controller/instance/counting.h \
	controller/instance/declared.c controller/instance/declared.h \
	controller/instance/declared_owner.c \
	controller/instance/instances.c controller/instance/instances.h controller/instance/instances_private.h \
	controller/instance/instance_rows.c \
	controller/instance/listings.c controller/instance/listings.h \
	controller/instance/migration_record.c controller/instance/migration_record.h \
	controller/instance/migrations.c controller/instance/migrations.h \
	controller/instance/moment.h \
	controller/instance/open_counts.c controller/instance/open_counts.h \
	controller/instance/orphan_removal.c controller/instance/orphan_removal.h \
	controller/instance/orphans.c controller/instance/orphans.h \
	controller/instance/removals.c controller/instance/removals.h \
	controller/instance/report.c controller/instance/report.h \
	controller/instance/report_order.c controller/instance/report_order.h \
	controller/instance/sighting.c controller/instance/sighting.h \
	controller/options.c controller/options.h \
	controller/outside.c controller/outside.h controller/outside_private.h \
	controller/refusals.c controller/refusals.h \
	controller/retired.c controller/retired.h \
	controller/store/store.c controller/store/store.h \
	controller/store/store_new.c \
	controller/store/store_schema.c \
	controller/store/store_worker.c \
	controller/upgrade.c controller/upgrade.h \
	controller/tokens.c controller/tokens.h \
	controller/upstream.c \
	controller/verify.c controller/verify.h \
	controller/waiter.c controller/waiter.h
sbin_PROGRAMS += vnetd
vnetd_SOURCES = controller/vnetd.c
vnetd_LDADD = $(DAEMON_LIBS)
libcontroller_a_SOURCES += \
	controller/api/trace.c \
	controller/trace.c controller/trace.h controller/trace_private.h \
	controller/trace_begin.c \
	controller/trace_packet.c \
	controller/trace_story.c
libcontroller_a_SOURCES += \
	controller/store/store_file.c controller/store/store_file.h \
	controller/store/store_worker.h
