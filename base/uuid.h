/* UUIDs (RFC 9562). Objects get version 4; randomness is handed in, so that pure code stays pure. */
#ifndef BASE_UUID_H
#define BASE_UUID_H 1

#include <stdbool.h>
#include <stdint.h>

struct uuid {
    uint8_t b[16];
};

#define UUID_STRLEN 37

bool uuid_parse(const char *, struct uuid *);          /* 8-4-4-4-12 hex digits, either case */
bool uuid_is_shape(const char *);                      /* would uuid_parse() take it? */
char *uuid_format(struct uuid, char buf[UUID_STRLEN]); /* lower case */
bool uuid_equal(struct uuid, struct uuid);
bool uuid_is_zero(struct uuid);
uint32_t uuid_hash(struct uuid);
struct uuid uuid_from_random(const uint8_t random[16]); /* sets version and variant */

#endif
