/* Every bound on what a stranger may make us hold or do, in one place. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H 1

#define LIMIT_NAME 63 /* characters of a name */
#define LIMIT_TAGS 50 /* tags on an object */
#define LIMIT_TAG_KEY 128
#define LIMIT_TAG_VALUE 256
#define LIMIT_LIST 64     /* elements of a list field */
#define LIMIT_STRING 1024 /* bytes of a string field */
#define LIMIT_TRANSACTION_OPS 200000
#define LIMIT_REQUEST_BYTES (64 << 20)        /* a body; 100,000 batch lines fit */
#define LIMIT_READER_REQUEST_BYTES (64 << 10) /* likewise, of who may change nothing */
#define LIMIT_REQUEST_HEADER_BYTES (16 << 10)
#define LIMIT_CLIENTS 8192                  /* API connections at once: each host's agent has a few */
#define LIMIT_CLIENTS_ADMIN 256             /* of them, which nobody but admins gets */
#define LIMIT_CLIENTS_OF_ONE 64             /* likewise, of one principal that is no admin: a host's agent, a tenant, a uid */
#define LIMIT_STRANGERS 64                  /* likewise, of all who have no certificate, and can only ask to join */
#define LIMIT_STRANGERS_OF_ONE 16           /* of one address */
#define LIMIT_CLIENTS_REFUSED 64            /* further ones that are told so; what is more is closed without a word */
#define LIMIT_CLIENT_BUFFER_BYTES (8 << 20) /* unread instructions of an agent before it is dropped */
#define LIMIT_IDEMPOTENCY_KEYS 1024         /* remembered answers of a principal */
#define LIMIT_OPENFLOW_MESSAGE 65535        /* the protocol's own */
#define LIMIT_OVSDB_MESSAGE_BYTES (64 << 20)
#define LIMIT_SESSIONS 8192              /* switch connections at once, per listener */
#define LIMIT_HANDSHAKE_MS 10000         /* from accept to a known host; and then for one without a certificate to have joined */
#define LIMIT_HANDSHAKES 1024            /* unfinished ones at once, per listener */
#define LIMIT_HANDSHAKES_OF_ONE 128      /* of one address */
#define LIMIT_PACKET_INS_PER_SECOND 1000 /* taken per switch, of each kind */
#define LIMIT_PACKET_INS_PER_OWNER 5     /* a second, which each owner of flows is sure of (packet_in_limit.h) */
#define LIMIT_PACKET_IN_BURST_PER_OWNER 10

#endif
