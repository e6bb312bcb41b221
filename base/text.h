/* Text from strangers, made fit for a log line, a terminal and a JSON string. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H 1

#include <stddef.h>

/* The byte that two hex digits at 's' stand for, or -1. Reads no further than a final 0. */
int text_hex_byte(const char *s);

/* Length of the UTF-8 character at 'p' (1 to 4), or 0 if the bytes there are not well-formed UTF-8. Reads no
 * further than a final 0. */
size_t text_utf8_length(const char *p);

/* Copies 'in' to 'out' of 'size' bytes (at least 8): control characters, and bytes that are not UTF-8, become
 * \xNN. What does not fit is cut at a character's end and replaced by "...". Returns out's length. */
size_t text_escape(char *out, size_t size, const char *in);

#endif
