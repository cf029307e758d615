import sys,time,os
import numpy as np, importlib
from PIL import Image
from skimage import data, transform
from .colour import expose
def scene(spec):
    f='/tmp/samples/cache_%s.npy'%spec
    if os.path.exists(f) and '.' not in os.environ.get('FRESH',''): return np.load(f)
    if spec in('astronaut','coffee','chelsea','rocket'):
        im=getattr(data,spec)()/255.
        s=512/min(im.shape[:2]); im=transform.resize(im,(round(im.shape[0]*s),round(im.shape[1]*s)),anti_aliasing=True,order=3).astype(np.float32)
        im=im[:,:640] if im.shape[1]>640 else im
        im=np.clip(im,0,1)
        from .tone_mapping import expand
        im=(im,expand(im))
        np.save(f,np.stack(im)); return np.stack(im)
    mod,name=spec.split('.'); m=importlib.import_module('.'+mod,__package__)
    r=getattr(m,name)((512,640),np.random.default_rng(3)); o=np.stack([expose(r),r]); np.save(f,o); return o
out=[]
for job in sys.argv[2:]:
    style,spec=job.split(':'); s=scene(spec); mod,fn=style.split('.')
    t=time.time(); f=getattr(importlib.import_module('.'+mod,__package__),fn)
    im=f(s[1]) if mod=='tone_mapping' else f(s[0],np.random.default_rng(1))
    print(job,round(time.time()-t,1)); out.append(Image.fromarray((np.clip(im,0,1)*255).astype(np.uint8)))
S=Image.new('RGB',(1280,512*((len(out)+1)//2)))
for i,im in enumerate(out): S.paste(im,((i%2)*640,(i//2)*512))
S.save(sys.argv[1])
