noinst_LIBRARIES += libovsdb.a
libovsdb_a_SOURCES = \
	ofproto/ovsdb/jsonrpc.c ofproto/ovsdb/jsonrpc.h \
	ofproto/ovsdb/ovsdb_bindings.c ofproto/ovsdb/ovsdb_bindings.h \
	ofproto/ovsdb/ovsdb_cards.c ofproto/ovsdb/ovsdb_cards.h \
	ofproto/ovsdb/ovsdb_config.c ofproto/ovsdb/ovsdb_config.h \
	ofproto/ovsdb/ovsdb_config_ports.c ofproto/ovsdb/ovsdb_config_private.h \
	ofproto/ovsdb/ovsdb_facts.c ofproto/ovsdb/ovsdb_facts.h \
	ofproto/ovsdb/ovsdb_ops.c ofproto/ovsdb/ovsdb_ops.h \
	ofproto/ovsdb/ovsdb_pace.c ofproto/ovsdb/ovsdb_pace.h \
	ofproto/ovsdb/ovsdb_rows.c ofproto/ovsdb/ovsdb_rows.h \
	ofproto/ovsdb/ovsdb_session.c ofproto/ovsdb/ovsdb_session.h \
	ofproto/ovsdb/ovsdb_session_private.h ofproto/ovsdb/ovsdb_session_step.c \
	ofproto/ovsdb/ovsdb_underlay.c ofproto/ovsdb/ovsdb_underlay.h \
	ofproto/ovsdb/ovsdb_update.c ofproto/ovsdb/ovsdb_update.h \
	ofproto/ovsdb/ovsdb_zones.c ofproto/ovsdb/ovsdb_zones.h
