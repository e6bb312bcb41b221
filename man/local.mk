dist_man_MANS += man/vnetd.8 man/vnet-architecture.7
dist_man_MANS += man/vnetctl.8
