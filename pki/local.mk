noinst_LIBRARIES += libpki.a
libpki_a_SOURCES = \
	pki/pki.c pki/pki.h \
	pki/pki_file.c pki/pki_file.h \
	pki/pki_request.c pki/pki_request.h
