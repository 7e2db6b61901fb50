#include "loader/load.h"
#include "loader/start.h"
#include "loader/sys.h"
#include "loader/text.h"
static char log[8192], out[65536];
static uint64_t ns(void){struct sys_timespec t;sys_clock_gettime(1,&t);return (uint64_t)t.seconds*1000000000u+(uint64_t)t.nanoseconds;}
int main(int argc,char**argv,char**envp)
{
	static struct probe p; struct probe_request r={.log=log,.log_size=sizeof log}; struct failure f={0};
	(void)argc;(void)argv;(void)envp;
	uint64_t a=ns();
	int e=probe_load(&p,&r,&f);
	uint64_t b=ns();
	struct text t=text_over(out,sizeof out);
	if(e){sys_write(2,f.line,f.length);sys_write(2,"\n",1);sys_write(2,log,r.log_used);return 1;}
	text_unsigned(&t,(b-a)/1000);text_string(&t," us load\n");
	for(int k=0;k<3;k++){
	a=ns();probe_begin_scan(&p);b=ns();
	uint32_t n=probe_readable(&p);
	text_unsigned(&t,n);text_string(&t," slots; sample ns ");text_unsigned(&t,b-a);text_string(&t," alloc ");text_unsigned(&t,p.counters->allocated);
	text_string(&t," adopted ");text_unsigned(&t,p.counters->adopted);text_string(&t," dropped ");text_unsigned(&t,p.counters->dropped);text_char(&t,'\n');
	for(uint32_t i=0;i<n && k==2;i++){const struct slot*s=&p.slots[i];text_unsigned(&t,s->pid);text_char(&t,' ');text_unsigned(&t,s->cpu_ns/1000000);text_char(&t,' ');text_unsigned(&t,s->rss_pages*4);text_char(&t,' ');text_string(&t,s->name);text_char(&t,' ');text_hex(&t,s->state);text_char(&t,' ');text_hex(&t,s->flags);text_char(&t,'\n');}
	for(uint32_t i=0;i<p.cpus;i++){text_unsigned(&t,p.running[i].pid);text_char(&t,'/');text_unsigned(&t,p.running[i].slot);text_char(&t,' ');}
	text_char(&t,'\n');
	struct sys_timespec w={0,500000000};sys_ppoll(0,0,&w);
	}
	sys_write(1,out,t.used);
	return 0;
}
