module plumbline.dev/pipelines

go 1.26.0
