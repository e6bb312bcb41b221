noinst_LIBRARIES += libflow.a
libflow_a_SOURCES = \
	ofproto/flow/field.c ofproto/flow/field.h \
	ofproto/flow/flow_action.c \
	ofproto/flow/flow_builder.c ofproto/flow/flow_builder.h ofproto/flow/flow_builder_private.h \
	ofproto/flow/flow_group.c \
	ofproto/flow/flow_match.c \
	ofproto/flow/flow_table.c ofproto/flow/flow_table.h ofproto/flow/flow_table_private.h \
	ofproto/flow/flow_table_block.c \
	ofproto/flow/flow_table_queue.c \
	ofproto/flow/flow_table_readback.c \
	ofproto/flow/flow_table_refused.c \
	ofproto/flow/flow_table_send.c \
	ofproto/flow/flow_table_shared.c \
	ofproto/flow/flow_table_verify.c \
	ofproto/flow/meter.c \
	ofproto/flow/packet_in.c ofproto/flow/packet_in.h \
	ofproto/flow/packet_out.c \
	ofproto/flow/spec.c ofproto/flow/spec.h ofproto/flow/spec_private.h \
	ofproto/flow/spec_format.c \
	ofproto/flow/wire.h ofproto/flow/wire_private.h \
	ofproto/flow/wire_canonical.c \
	ofproto/flow/wire_mod.c \
	ofproto/flow/wire_reply.c \
	ofproto/flow/wire_request.c \
	ofproto/flow/exec.c ofproto/flow/exec.h ofproto/flow/exec_private.h \
	ofproto/flow/exec_action.c \
	ofproto/flow/exec_entry.c \
	ofproto/flow/exec_group.c \
	ofproto/flow/exec_lookup.c \
	ofproto/flow/exec_track.c \
	ofproto/flow/exec_packet.c
