dist_man_MANS += man/vnetd.8 man/vnet-architecture.7
dist_man_MANS += man/vnet-agent.8 man/vnet-hook.8 man/vnet-libvirt.7 man/vnet.conf.5 man/vnet-agent.conf.5
dist_man_MANS += man/vnetctl.8
