noinst_LIBRARIES += libsession.a
libsession_a_SOURCES = \
	ofproto/session/endpoint.c ofproto/session/endpoint.h ofproto/session/endpoint_private.h \
	ofproto/session/endpoint_tls.c \
	ofproto/session/of_commit.c \
	ofproto/session/of_conntrack.c \
	ofproto/session/of_framing.c \
	ofproto/session/of_handshake.c \
	ofproto/session/of_message.c \
	ofproto/session/of_output.c \
	ofproto/session/of_reader.c \
	ofproto/session/of_retry.c \
	ofproto/session/of_session.c ofproto/session/of_session.h ofproto/session/of_session_private.h \
	ofproto/session/packet_in_limit.c ofproto/session/packet_in_limit.h
