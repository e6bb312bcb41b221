# Everything but main() is a library, so that unit tests link it. A thin client: no model, no switch, no controller.
noinst_LIBRARIES += libvnetctl.a
libvnetctl_a_SOURCES = \
	tools/vnetctl/batch.c tools/vnetctl/batch.h \
	tools/vnetctl/change.c tools/vnetctl/change.h \
	tools/vnetctl/client.c tools/vnetctl/client.h \
	tools/vnetctl/command.c tools/vnetctl/command.h \
	tools/vnetctl/commands_generic.c \
	tools/vnetctl/commands_insight.c \
	tools/vnetctl/commands_lb.c \
	tools/vnetctl/commands_instance.c \
	tools/vnetctl/commands_network.c \
	tools/vnetctl/commands_pki.c \
	tools/vnetctl/commands_public.c \
	tools/vnetctl/commands_route.c \
	tools/vnetctl/commands_sg.c \
	tools/vnetctl/commands_tenant.c \
	tools/vnetctl/help.c tools/vnetctl/help.h \
	tools/vnetctl/http.c tools/vnetctl/http.h \
	tools/vnetctl/http_tls.c \
	tools/vnetctl/invocation.c tools/vnetctl/invocation.h \
	tools/vnetctl/listing.c tools/vnetctl/listing.h \
	tools/vnetctl/options.c tools/vnetctl/options.h \
	tools/vnetctl/output.c tools/vnetctl/output.h \
	tools/vnetctl/output_csv.c \
	tools/vnetctl/output_json.c \
	tools/vnetctl/output_list.c \
	tools/vnetctl/output_table.c \
	tools/vnetctl/parse.c tools/vnetctl/parse.h \
	tools/vnetctl/transaction.c tools/vnetctl/transaction.h \
	tools/vnetctl/url.c tools/vnetctl/url.h

bin_PROGRAMS += vnetctl
vnetctl_SOURCES = tools/vnetctl/main.c
vnetctl_LDADD = libvnetctl.a libpki.a libbase.a $(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS)

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = tools/vnetctl/vnetctl.bash
